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
WAVESIM_DEVICE __hip_bfloat16 __hdiv(__hip_bfloat16 x, __hip_bfloat16 y) { return x / y; }
WAVESIM_DEVICE __hip_bfloat16 __hfma(__hip_bfloat16 x, __hip_bfloat16 y, __hip_bfloat16 z) {
  return __builtin_fmaf(x, y, z);
}
WAVESIM_DEVICE __hip_bfloat16 __hneg(__hip_bfloat16 x) { return -x; }
WAVESIM_DEVICE __hip_bfloat16 __habs(__hip_bfloat16 x) { return __builtin_fabsf(x); }
WAVESIM_DEVICE __hip_bfloat16 __hmax(__hip_bfloat16 x, __hip_bfloat16 y) { return __builtin_fmaxf(x, y); }
WAVESIM_DEVICE __hip_bfloat16 __hmin(__hip_bfloat16 x, __hip_bfloat16 y) { return __builtin_fminf(x, y); }
WAVESIM_BOTH __hip_bfloat162 __float22bfloat162_rn(float2 x) {
  return (__hip_bfloat162){(__bf16)x.x, (__bf16)x.y};
}
WAVESIM_BOTH __hip_bfloat162 __bfloat162bfloat162(__hip_bfloat16 x) { return (__hip_bfloat162){x, x}; }
WAVESIM_BOTH __hip_bfloat162 __halves2bfloat162(__hip_bfloat16 x, __hip_bfloat16 y) {
  return (__hip_bfloat162){x, y};
}
WAVESIM_BOTH __hip_bfloat16 __low2bfloat16(__hip_bfloat162 x) { return x.x; }
WAVESIM_BOTH __hip_bfloat16 __high2bfloat16(__hip_bfloat162 x) { return x.y; }
WAVESIM_DEVICE __hip_bfloat162 __hadd2(__hip_bfloat162 x, __hip_bfloat162 y) { return x + y; }
WAVESIM_DEVICE __hip_bfloat162 __hsub2(__hip_bfloat162 x, __hip_bfloat162 y) { return x - y; }
WAVESIM_DEVICE __hip_bfloat162 __hmul2(__hip_bfloat162 x, __hip_bfloat162 y) { return x * y; }
WAVESIM_DEVICE __hip_bfloat162 __hfma2(__hip_bfloat162 x, __hip_bfloat162 y, __hip_bfloat162 z) {
  return (__hip_bfloat162){__hfma(x.x, y.x, z.x), __hfma(x.y, y.y, z.y)};
}
WAVESIM_DEVICE __hip_bfloat162 __h2div(__hip_bfloat162 x, __hip_bfloat162 y) { return x / y; }
WAVESIM_DEVICE __hip_bfloat162 __habs2(__hip_bfloat162 x) {
  return (__hip_bfloat162){__habs(x.x), __habs(x.y)};
}
WAVESIM_DEVICE __hip_bfloat162 __hmax2(__hip_bfloat162 x, __hip_bfloat162 y) {
  return (__hip_bfloat162){__hmax(x.x, y.x), __hmax(x.y, y.y)};
}
WAVESIM_DEVICE __hip_bfloat162 __hmin2(__hip_bfloat162 x, __hip_bfloat162 y) {
  return (__hip_bfloat162){__hmin(x.x, y.x), __hmin(x.y, y.y)};
}

// functions of bf16 are those of float, rounded
#define WAVESIM_BF16_1(name, builtin)                                                        \
  WAVESIM_DEVICE __hip_bfloat16 h##name(__hip_bfloat16 x) { return builtin((float)x); }      \
  WAVESIM_DEVICE __hip_bfloat162 h2##name(__hip_bfloat162 x) {                               \
    return (__hip_bfloat162){h##name(x.x), h##name(x.y)};                                    \
  }
WAVESIM_BF16_1(exp, __builtin_expf)
WAVESIM_BF16_1(exp2, __builtin_exp2f)
WAVESIM_BF16_1(log, __builtin_logf)
WAVESIM_BF16_1(log2, __builtin_log2f)
WAVESIM_BF16_1(sqrt, __builtin_sqrtf)
WAVESIM_BF16_1(rsqrt, __builtin_amdgcn_rsqf)
WAVESIM_BF16_1(rcp, __builtin_amdgcn_rcpf)
