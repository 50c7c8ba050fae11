// __half is clang's _Float16, which the hardware computes with.
#pragma once

#include "hip_runtime.h"

typedef _Float16 __half;
typedef _Float16 half;
typedef _Float16 __half2 __attribute__((ext_vector_type(2)));
typedef __half2 half2;

WAVESIM_BOTH __half __float2half(float x) { return (__half)x; }
WAVESIM_BOTH __half __float2half_rn(float x) { return (__half)x; }
WAVESIM_BOTH float __half2float(__half x) { return (float)x; }
WAVESIM_BOTH __half2 __float2half2_rn(float x) { return (__half2){(__half)x, (__half)x}; }
WAVESIM_BOTH __half2 __floats2half2_rn(float x, float y) { return (__half2){(__half)x, (__half)y}; }
WAVESIM_BOTH __half2 __halves2half2(__half x, __half y) { return (__half2){x, y}; }
WAVESIM_BOTH __half2 __half2half2(__half x) { return (__half2){x, x}; }
WAVESIM_BOTH __half __low2half(__half2 x) { return x.x; }
WAVESIM_BOTH __half __high2half(__half2 x) { return x.y; }
WAVESIM_BOTH float __low2float(__half2 x) { return (float)x.x; }
WAVESIM_BOTH float __high2float(__half2 x) { return (float)x.y; }
WAVESIM_BOTH float2 __half22float2(__half2 x) { return make_float2((float)x.x, (float)x.y); }
WAVESIM_BOTH __half2 __float22half2_rn(float2 x) { return (__half2){(__half)x.x, (__half)x.y}; }
WAVESIM_BOTH __half __int2half_rn(int x) { return (__half)x; }
WAVESIM_BOTH unsigned short __half_as_ushort(__half x) { return __builtin_bit_cast(unsigned short, x); }
WAVESIM_BOTH __half __ushort_as_half(unsigned short x) { return __builtin_bit_cast(__half, x); }

WAVESIM_DEVICE __half __hadd(__half x, __half y) { return x + y; }
WAVESIM_DEVICE __half __hsub(__half x, __half y) { return x - y; }
WAVESIM_DEVICE __half __hmul(__half x, __half y) { return x * y; }
WAVESIM_DEVICE __half __hdiv(__half x, __half y) { return x / y; }
WAVESIM_DEVICE __half __hneg(__half x) { return -x; }
WAVESIM_DEVICE __half __hfma(__half x, __half y, __half z) { return __builtin_fmaf16(x, y, z); }
WAVESIM_DEVICE __half __hmax(__half x, __half y) { return __builtin_fmaxf16(x, y); }
WAVESIM_DEVICE __half __hmin(__half x, __half y) { return __builtin_fminf16(x, y); }
WAVESIM_DEVICE __half2 __hadd2(__half2 x, __half2 y) { return x + y; }
WAVESIM_DEVICE __half2 __hsub2(__half2 x, __half2 y) { return x - y; }
WAVESIM_DEVICE __half2 __hmul2(__half2 x, __half2 y) { return x * y; }
WAVESIM_DEVICE __half2 __hfma2(__half2 x, __half2 y, __half2 z) { return __builtin_elementwise_fma(x, y, z); }
WAVESIM_DEVICE __half __habs(__half x) { return __builtin_fabsf16(x); }
WAVESIM_DEVICE __half2 __h2div(__half2 x, __half2 y) { return x / y; }
WAVESIM_DEVICE __half2 __habs2(__half2 x) { return __builtin_elementwise_abs(x); }
WAVESIM_DEVICE __half2 __hmax2(__half2 x, __half2 y) { return (__half2){__hmax(x.x, y.x), __hmax(x.y, y.y)}; }
WAVESIM_DEVICE __half2 __hmin2(__half2 x, __half2 y) { return (__half2){__hmin(x.x, y.x), __hmin(x.y, y.y)}; }

// functions of half are those of float, rounded
#define WAVESIM_F16_1(name, builtin)                                                         \
  WAVESIM_DEVICE __half h##name(__half x) { return (__half)builtin((float)x); }              \
  WAVESIM_DEVICE __half2 h2##name(__half2 x) { return (__half2){h##name(x.x), h##name(x.y)}; }
WAVESIM_F16_1(exp, __builtin_expf)
WAVESIM_F16_1(exp2, __builtin_exp2f)
WAVESIM_F16_1(log, __builtin_logf)
WAVESIM_F16_1(log2, __builtin_log2f)
WAVESIM_F16_1(sqrt, __builtin_sqrtf)
WAVESIM_F16_1(rsqrt, __builtin_amdgcn_rsqf)
WAVESIM_F16_1(rcp, __builtin_amdgcn_rcpf)
