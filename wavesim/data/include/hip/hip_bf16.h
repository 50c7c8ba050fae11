// __hip_bfloat16 is clang's __bf16: it is stored and converted; arithmetic on it is that of float, rounded.
#pragma once

#include "hip_runtime.h"

typedef __bf16 __hip_bfloat16;
typedef __bf16 hip_bfloat16;
typedef __bf16 __hip_bfloat162 __attribute__((ext_vector_type(2)));

WAVESIM_BOTH __hip_bfloat16 __float2bfloat16(float x) { return (__hip_bfloat16)x; }
WAVESIM_BOTH __hip_bfloat16 __float2bfloat16_rn(float x) { return (__hip_bfloat16)x; }
WAVESIM_BOTH float __bfloat162float(__hip_bfloat16 x) { return (float)x; }
WAVESIM_BOTH __hip_bfloat162 __floats2bfloat162_rn(float x, float y) {
  return (__hip_bfloat162){(__bf16)x, (__bf16)y};
}
WAVESIM_BOTH float2 __bfloat1622float2(__hip_bfloat162 x) { return make_float2((float)x.x, (float)x.y); }
WAVESIM_BOTH unsigned short __bfloat16_as_ushort(__hip_bfloat16 x) {
  return __builtin_bit_cast(unsigned short, x);
}
WAVESIM_BOTH __hip_bfloat16 __ushort_as_bfloat16(unsigned short x) {
  return __builtin_bit_cast(__hip_bfloat16, x);
}
WAVESIM_DEVICE __hip_bfloat16 __hadd(__hip_bfloat16 x, __hip_bfloat16 y) { return x + y; }
WAVESIM_DEVICE __hip_bfloat16 __hsub(__hip_bfloat16 x, __hip_bfloat16 y) { return x - y; }
WAVESIM_DEVICE __hip_bfloat16 __hmul(__hip_bfloat16 x, __hip_bfloat16 y) { return x * y; }
