// Loads through the read-only cache, which CDNA does not have: ordinary ones.
#pragma once
#include "../hip_runtime.h"

template <typename T>
WAVESIM_DEVICE T __ldg(const T *address) {
  return *address;
}
