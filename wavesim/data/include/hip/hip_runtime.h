// The part of hip_runtime.h that device code needs, for compilers without ROCm: wavesim's own, by the names
// that HIP's programming guide gives. Everything is a builtin of clang or made of them; there are no device
// libraries, so functions without such a builtin (sin of a double, erf, ...) are missing.
#pragma once

#include <stddef.h>
#include <stdint.h>
#if __has_include(<cmath>)  // ROCm's includes them, and its users rely on that
#include <array>
#include <cmath>
#include <cstring>
#include <iosfwd>
#include <unordered_map>
#endif

#define __host__ __attribute__((host))
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __managed__ __attribute__((managed))
#ifndef __forceinline__
#define __forceinline__ inline __attribute__((always_inline))
#endif
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __grid_constant__
#define HIP_DYNAMIC_SHARED(type, name) extern __shared__ type name[];
#define HIP_KERNEL_NAME(...) __VA_ARGS__
#define HIP_SYMBOL(name) name

// __launch_bounds__(threads) or (threads, waves per SIMD)
#define WAVESIM_BOUNDS_1(threads) __attribute__((amdgpu_flat_work_group_size(1, threads)))
#define WAVESIM_BOUNDS_2(threads, waves) \
  __attribute__((amdgpu_flat_work_group_size(1, threads), amdgpu_waves_per_eu(waves)))
#define WAVESIM_PICK_BOUNDS(_1, _2, name, ...) name
#define __launch_bounds__(...) \
  WAVESIM_PICK_BOUNDS(__VA_ARGS__, WAVESIM_BOUNDS_2, WAVESIM_BOUNDS_1, )(__VA_ARGS__)

#define WAVESIM_DEVICE static inline __attribute__((device, always_inline, unused))
#define WAVESIM_BOTH static inline __attribute__((host, device, always_inline, unused))

#include "hip_vector_types.h"

#include "hip_runtime_api.h"

// ---- where a work-item stands
#define WAVESIM_INDEX(field, value)                                    \
  __declspec(property(get = wavesim_get_##field)) unsigned int field;  \
  __attribute__((device, always_inline)) static unsigned int wavesim_get_##field() { return value; }
#define WAVESIM_PLACE(name, first, second, third)                                                        \
  struct name {                                                                                          \
    WAVESIM_INDEX(x, first)                                                                              \
    WAVESIM_INDEX(y, second)                                                                             \
    WAVESIM_INDEX(z, third)                                                                              \
    __attribute__((device, always_inline)) operator dim3() const { return dim3(first, second, third); }  \
    __attribute__((device, always_inline)) operator uint3() const {                                      \
      return make_uint3(first, second, third);                                                           \
    }                                                                                                    \
  };

WAVESIM_PLACE(wavesim_thread_index, __builtin_amdgcn_workitem_id_x(), __builtin_amdgcn_workitem_id_y(),
              __builtin_amdgcn_workitem_id_z())
WAVESIM_PLACE(wavesim_block_index, __builtin_amdgcn_workgroup_id_x(), __builtin_amdgcn_workgroup_id_y(),
              __builtin_amdgcn_workgroup_id_z())
WAVESIM_PLACE(wavesim_block_size, __builtin_amdgcn_workgroup_size_x(), __builtin_amdgcn_workgroup_size_y(),
              __builtin_amdgcn_workgroup_size_z())

// hidden_block_count_x, y, z: the first hidden kernel arguments (LLVM, "AMDGPU usage", code object 5)
WAVESIM_DEVICE unsigned int wavesim_block_count(unsigned int axis) {
  return ((const __attribute__((address_space(4))) unsigned int *)__builtin_amdgcn_implicitarg_ptr())[axis];
}
WAVESIM_PLACE(wavesim_grid_size, wavesim_block_count(0), wavesim_block_count(1), wavesim_block_count(2))

extern const __attribute__((device, weak)) wavesim_thread_index threadIdx;
extern const __attribute__((device, weak)) wavesim_block_index blockIdx;
extern const __attribute__((device, weak)) wavesim_block_size blockDim;
extern const __attribute__((device, weak)) wavesim_grid_size gridDim;

#define hipThreadIdx_x (__builtin_amdgcn_workitem_id_x())
#define hipThreadIdx_y (__builtin_amdgcn_workitem_id_y())
#define hipThreadIdx_z (__builtin_amdgcn_workitem_id_z())
#define hipBlockIdx_x (__builtin_amdgcn_workgroup_id_x())
#define hipBlockIdx_y (__builtin_amdgcn_workgroup_id_y())
#define hipBlockIdx_z (__builtin_amdgcn_workgroup_id_z())
#define hipBlockDim_x (__builtin_amdgcn_workgroup_size_x())
#define hipBlockDim_y (__builtin_amdgcn_workgroup_size_y())
#define hipBlockDim_z (__builtin_amdgcn_workgroup_size_z())
#define hipGridDim_x (wavesim_block_count(0))
#define hipGridDim_y (wavesim_block_count(1))
#define hipGridDim_z (wavesim_block_count(2))

static constexpr int warpSize __attribute__((unused)) = 64;

// ---- order among work-items
WAVESIM_DEVICE void __syncthreads() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}
WAVESIM_DEVICE void __syncwarp(unsigned long long = ~0ull) {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
  __builtin_amdgcn_wave_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
}
WAVESIM_DEVICE void __threadfence() { __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "agent"); }
WAVESIM_DEVICE void __threadfence_block() { __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "workgroup"); }
WAVESIM_DEVICE void __threadfence_system() { __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, ""); }

WAVESIM_DEVICE long long clock64() { return (long long)__builtin_amdgcn_s_memtime(); }
WAVESIM_DEVICE long long clock() { return (long long)__builtin_amdgcn_s_memtime(); }

#include "wavesim_lanes.h"
#include "wavesim_math.h"

// ---- atomics on global memory and LDS, for all of the device
#define WAVESIM_ATOMIC(name, operation)                                                       \
  template <typename T>                                                                       \
  WAVESIM_DEVICE T name(T *address, T value) {                                                \
    return operation(address, value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);             \
  }                                                                                           \
  template <typename T, typename U>                                                           \
  WAVESIM_DEVICE T name(T *address, U value) {                                                \
    return operation(address, (T)value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);          \
  }
WAVESIM_ATOMIC(atomicAdd, __hip_atomic_fetch_add)
WAVESIM_ATOMIC(unsafeAtomicAdd, __hip_atomic_fetch_add)
WAVESIM_ATOMIC(atomicMin, __hip_atomic_fetch_min)
WAVESIM_ATOMIC(atomicMax, __hip_atomic_fetch_max)
WAVESIM_ATOMIC(atomicAnd, __hip_atomic_fetch_and)
WAVESIM_ATOMIC(atomicOr, __hip_atomic_fetch_or)
WAVESIM_ATOMIC(atomicXor, __hip_atomic_fetch_xor)
WAVESIM_ATOMIC(atomicExch, __hip_atomic_exchange)
template <typename T, typename U>
WAVESIM_DEVICE T atomicSub(T *address, U value) {
  return __hip_atomic_fetch_add(address, (T)-(T)value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
template <typename T, typename U, typename V>
WAVESIM_DEVICE T atomicCAS(T *address, U compare, V value) {
  T expected = (T)compare;
  __hip_atomic_compare_exchange_strong(address, &expected, (T)value, __ATOMIC_RELAXED, __ATOMIC_RELAXED,
                                       __HIP_MEMORY_SCOPE_AGENT);
  return expected;
}
