// Mathematical functions that clang makes instructions of without a library.
#pragma once

#ifndef INFINITY
#define INFINITY __builtin_inff()
#endif
#ifndef NAN
#define NAN __builtin_nanf("")
#endif

#define WAVESIM_F32_1(name, builtin) \
  WAVESIM_DEVICE float name(float x) { return builtin(x); }
#define WAVESIM_F64_1(name, builtin) \
  WAVESIM_DEVICE double name(double x) { return builtin(x); }
#define WAVESIM_F32_2(name, builtin) \
  WAVESIM_DEVICE float name(float x, float y) { return builtin(x, y); }
#define WAVESIM_F64_2(name, builtin) \
  WAVESIM_DEVICE double name(double x, double y) { return builtin(x, y); }

WAVESIM_F32_1(sqrtf, __builtin_sqrtf)
WAVESIM_F32_1(expf, __builtin_expf)
WAVESIM_F32_1(exp2f, __builtin_exp2f)
WAVESIM_F32_1(exp10f, __builtin_exp10f)
WAVESIM_F32_1(logf, __builtin_logf)
WAVESIM_F32_1(log2f, __builtin_log2f)
WAVESIM_F32_1(log10f, __builtin_log10f)
WAVESIM_F32_1(fabsf, __builtin_fabsf)
WAVESIM_F32_1(floorf, __builtin_floorf)
WAVESIM_F32_1(ceilf, __builtin_ceilf)
WAVESIM_F32_1(truncf, __builtin_truncf)
WAVESIM_F32_1(roundf, __builtin_roundf)
WAVESIM_F32_1(rintf, __builtin_rintf)
WAVESIM_F32_1(nearbyintf, __builtin_nearbyintf)
WAVESIM_F32_1(rsqrtf, __builtin_amdgcn_rsqf)
WAVESIM_F32_1(__expf, __builtin_expf)
WAVESIM_F32_1(__exp10f, __builtin_exp10f)
WAVESIM_F32_1(__logf, __builtin_logf)
WAVESIM_F32_1(__log2f, __builtin_log2f)
WAVESIM_F32_1(__log10f, __builtin_log10f)
WAVESIM_F32_1(__sinf, __builtin_sinf)
WAVESIM_F32_1(__cosf, __builtin_cosf)
WAVESIM_F32_1(__fsqrt_rn, __builtin_sqrtf)
WAVESIM_F32_1(__frsqrt_rn, __builtin_amdgcn_rsqf)
WAVESIM_F32_2(fmaxf, __builtin_fmaxf)
WAVESIM_F32_2(fminf, __builtin_fminf)
WAVESIM_F32_2(copysignf, __builtin_copysignf)

WAVESIM_F64_1(sqrt, __builtin_sqrt)
WAVESIM_F64_1(fabs, __builtin_fabs)
WAVESIM_F64_1(floor, __builtin_floor)
WAVESIM_F64_1(ceil, __builtin_ceil)
WAVESIM_F64_1(trunc, __builtin_trunc)
WAVESIM_F64_1(rint, __builtin_rint)
WAVESIM_F64_2(fmax, __builtin_fmax)
WAVESIM_F64_2(fmin, __builtin_fmin)
WAVESIM_F64_2(copysign, __builtin_copysign)

WAVESIM_DEVICE float fmaf(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
WAVESIM_DEVICE double fma(double x, double y, double z) { return __builtin_fma(x, y, z); }
WAVESIM_DEVICE float __fmaf_rn(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
WAVESIM_DEVICE float __fadd_rn(float x, float y) { return x + y; }
WAVESIM_DEVICE float __fsub_rn(float x, float y) { return x - y; }
WAVESIM_DEVICE float __fmul_rn(float x, float y) { return x * y; }
WAVESIM_DEVICE float __fdiv_rn(float x, float y) { return x / y; }
WAVESIM_DEVICE float __frcp_rn(float x) { return 1.0f / x; }
WAVESIM_DEVICE float __fdividef(float x, float y) { return x * __builtin_amdgcn_rcpf(y); }
WAVESIM_DEVICE float __saturatef(float x) { return __builtin_fminf(__builtin_fmaxf(x, 0.0f), 1.0f); }
WAVESIM_DEVICE float rsqrt(float x) { return __builtin_amdgcn_rsqf(x); }

// sine and cosine as the hardware has them, for arguments that are not large
WAVESIM_F32_1(sinf, __builtin_sinf)
WAVESIM_F32_1(cosf, __builtin_cosf)

// by logarithm and power of two: to about 1e-5 of the value, and for x < 0 only with a whole y
WAVESIM_DEVICE float powf(float x, float y) {
  float size = __builtin_exp2f(y * __builtin_log2f(__builtin_fabsf(x)));
  float whole = __builtin_truncf(y);
  bool odd = whole == y && __builtin_truncf(0.5f * y) * 2.0f != y;
  size = y == 0.0f ? 1.0f : size;
  return x < 0.0f ? (whole == y ? (odd ? -size : size) : __builtin_nanf("")) : size;
}
WAVESIM_DEVICE float __powf(float x, float y) { return powf(x, y); }
WAVESIM_DEVICE float tanhf(float x) {
  float e = __builtin_expf(-2.0f * __builtin_fabsf(x));
  return __builtin_copysignf((1.0f - e) / (1.0f + e), x);
}

WAVESIM_DEVICE float sqrt(float x) { return __builtin_sqrtf(x); }
WAVESIM_DEVICE float exp(float x) { return __builtin_expf(x); }
WAVESIM_DEVICE float exp2(float x) { return __builtin_exp2f(x); }
WAVESIM_DEVICE float log(float x) { return __builtin_logf(x); }
WAVESIM_DEVICE float log2(float x) { return __builtin_log2f(x); }
WAVESIM_DEVICE float fabs(float x) { return __builtin_fabsf(x); }
WAVESIM_DEVICE float floor(float x) { return __builtin_floorf(x); }
WAVESIM_DEVICE float ceil(float x) { return __builtin_ceilf(x); }
WAVESIM_DEVICE float fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
WAVESIM_DEVICE float fmax(float x, float y) { return __builtin_fmaxf(x, y); }
WAVESIM_DEVICE float fmin(float x, float y) { return __builtin_fminf(x, y); }
WAVESIM_DEVICE float pow(float x, float y) { return powf(x, y); }
WAVESIM_DEVICE float tanh(float x) { return tanhf(x); }

#define WAVESIM_MIN_MAX(type)                                                    \
  WAVESIM_DEVICE type max(type left, type right) { return left < right ? right : left; } \
  WAVESIM_DEVICE type min(type left, type right) { return right < left ? right : left; }
WAVESIM_MIN_MAX(int)
WAVESIM_MIN_MAX(unsigned int)
WAVESIM_MIN_MAX(long)
WAVESIM_MIN_MAX(unsigned long)
WAVESIM_MIN_MAX(long long)
WAVESIM_MIN_MAX(unsigned long long)
// two types: in the one that arithmetic on both has
template <typename T, typename U>
WAVESIM_DEVICE auto max(T left, U right) -> decltype(left + right) {
  return left < right ? (decltype(left + right))right : (decltype(left + right))left;
}
template <typename T, typename U>
WAVESIM_DEVICE auto min(T left, U right) -> decltype(left + right) {
  return right < left ? (decltype(left + right))right : (decltype(left + right))left;
}
WAVESIM_DEVICE float max(float x, float y) { return __builtin_fmaxf(x, y); }
WAVESIM_DEVICE float min(float x, float y) { return __builtin_fminf(x, y); }
WAVESIM_DEVICE double max(double x, double y) { return __builtin_fmax(x, y); }
WAVESIM_DEVICE double min(double x, double y) { return __builtin_fmin(x, y); }
WAVESIM_DEVICE int abs(int x) { return x < 0 ? -x : x; }
WAVESIM_DEVICE long labs(long x) { return x < 0 ? -x : x; }
WAVESIM_DEVICE float abs(float x) { return __builtin_fabsf(x); }
#ifndef isnan
WAVESIM_DEVICE bool isnan(float x) { return __builtin_isnan(x); }
WAVESIM_DEVICE bool isnan(double x) { return __builtin_isnan(x); }
WAVESIM_DEVICE bool isinf(float x) { return __builtin_isinf(x); }
WAVESIM_DEVICE bool isinf(double x) { return __builtin_isinf(x); }
WAVESIM_DEVICE bool isfinite(float x) { return __builtin_isfinite(x); }
WAVESIM_DEVICE bool isfinite(double x) { return __builtin_isfinite(x); }
#endif

// ROCm's device library by name, as far as these are builtins, too
#define WAVESIM_OCML_1(name, builtin) \
  extern "C" inline __attribute__((device, always_inline)) float __ocml_##name##_f32(float x) { return builtin(x); }
WAVESIM_OCML_1(exp, __builtin_expf)
WAVESIM_OCML_1(exp2, __builtin_exp2f)
WAVESIM_OCML_1(log, __builtin_logf)
WAVESIM_OCML_1(log2, __builtin_log2f)
WAVESIM_OCML_1(sqrt, __builtin_sqrtf)
WAVESIM_OCML_1(rsqrt, __builtin_amdgcn_rsqf)
WAVESIM_OCML_1(fabs, __builtin_fabsf)
WAVESIM_OCML_1(floor, __builtin_floorf)
WAVESIM_OCML_1(ceil, __builtin_ceilf)
WAVESIM_OCML_1(tanh, tanhf)
WAVESIM_OCML_1(trunc, __builtin_truncf)
WAVESIM_OCML_1(rint, __builtin_rintf)
WAVESIM_OCML_1(round, __builtin_roundf)
#define WAVESIM_OCML_2(name, builtin)                                                              \
  extern "C" inline __attribute__((device, always_inline)) float __ocml_##name##_f32(float x, float y) { \
    return builtin(x, y);                                                                          \
  }
WAVESIM_OCML_2(fmax, __builtin_fmaxf)
WAVESIM_OCML_2(fmin, __builtin_fminf)
WAVESIM_OCML_2(pow, powf)
extern "C" inline __attribute__((device, always_inline)) float __ocml_fma_f32(float x, float y, float z) {
  return __builtin_fmaf(x, y, z);
}

namespace std {
using ::ceilf;
using ::exp2f;
using ::expf;
using ::fabsf;
using ::floorf;
using ::fmaf;
using ::fmaxf;
using ::fminf;
using ::log2f;
using ::logf;
using ::powf;
using ::roundf;
using ::sqrtf;
using ::tanhf;
}  // namespace std

// on the device it prints nothing
template <typename... Values>
WAVESIM_DEVICE int printf(const char *, Values...) {
  return 0;
}
