// The older header's name of the same type.
#pragma once
#include "hip_bf16.h"
