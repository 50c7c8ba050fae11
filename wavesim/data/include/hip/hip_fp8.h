// 8-bit floats: a byte each, converted by the architecture's own instructions. gfx942 converts the fnuz forms,
// gfx950 the OCP ones; the other form of an architecture can be stored and passed, and not converted.
#pragma once

#include "hip_runtime.h"

typedef unsigned char __hip_fp8_storage_t;
typedef unsigned short __hip_fp8x2_storage_t;
typedef unsigned int __hip_fp8x4_storage_t;

#define WAVESIM_FP8(NAME, LETTERS, OTHER)                                                          \
  struct __hip_fp8_##NAME {                                                                        \
    __hip_fp8_storage_t __x;                                                                       \
    __hip_fp8_##NAME() = default;                                                                  \
    __device__ explicit __hip_fp8_##NAME(float x) OTHER                                            \
        : __x(__builtin_amdgcn_cvt_pk_##LETTERS##_f32(x, x, 0, false)) {}                          \
    __device__ explicit operator float() const OTHER {                                             \
      return __builtin_amdgcn_cvt_f32_##LETTERS(__x, 0);                                           \
    }                                                                                              \
    __host__ explicit __hip_fp8_##NAME(float) : __x(0) {} /* not run */                            \
    __host__ explicit operator float() const { return 0; }                                         \
  };                                                                                               \
  struct __hip_fp8x2_##NAME {                                                                      \
    __hip_fp8x2_storage_t __x;                                                                     \
    __hip_fp8x2_##NAME() = default;                                                                \
    __device__ explicit __hip_fp8x2_##NAME(float2 v) OTHER                                         \
        : __x(__builtin_amdgcn_cvt_pk_##LETTERS##_f32(v.x, v.y, 0, false)) {}                      \
    __device__ explicit operator float2() const OTHER {                                            \
      return make_float2(__builtin_amdgcn_cvt_f32_##LETTERS(__x, 0),                               \
                         __builtin_amdgcn_cvt_f32_##LETTERS(__x, 1));                              \
    }                                                                                              \
  };                                                                                               \
  struct __hip_fp8x4_##NAME {                                                                      \
    __hip_fp8x4_storage_t __x;                                                                     \
    __hip_fp8x4_##NAME() = default;                                                                \
    __device__ explicit __hip_fp8x4_##NAME(float4 v) OTHER                                         \
        : __x(__builtin_amdgcn_cvt_pk_##LETTERS##_f32(                                             \
              v.z, v.w, __builtin_amdgcn_cvt_pk_##LETTERS##_f32(v.x, v.y, 0, false), true)) {}     \
    __device__ explicit operator float4() const OTHER {                                            \
      return make_float4(__builtin_amdgcn_cvt_f32_##LETTERS(__x, 0),                               \
                         __builtin_amdgcn_cvt_f32_##LETTERS(__x, 1),                               \
                         __builtin_amdgcn_cvt_f32_##LETTERS(__x, 2),                               \
                         __builtin_amdgcn_cvt_f32_##LETTERS(__x, 3));                              \
    }                                                                                              \
  };

#define WAVESIM_NOT_HERE __attribute__((unavailable("this architecture has no instruction for this form")))
#ifdef __gfx950__
#define WAVESIM_OCP
#define WAVESIM_FNUZ WAVESIM_NOT_HERE
#else
#define WAVESIM_OCP WAVESIM_NOT_HERE
#define WAVESIM_FNUZ
#endif

#if defined(__gfx942__) || defined(__gfx950__)
WAVESIM_FP8(e4m3, fp8, WAVESIM_OCP)
WAVESIM_FP8(e5m2, bf8, WAVESIM_OCP)
WAVESIM_FP8(e4m3_fnuz, fp8, WAVESIM_FNUZ)
WAVESIM_FP8(e5m2_fnuz, bf8, WAVESIM_FNUZ)
#endif
