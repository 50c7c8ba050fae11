// What a host program calls, declared only: wavesim compiles device code, and a file's host part must parse.
#pragma once

#ifndef WAVESIM_BOTH
#include "hip_runtime.h"
#else

typedef enum hipError_t { hipSuccess = 0, hipErrorInvalidValue = 1, hipErrorUnknown = 999 } hipError_t;
typedef enum hipMemcpyKind {
  hipMemcpyHostToHost,
  hipMemcpyHostToDevice,
  hipMemcpyDeviceToHost,
  hipMemcpyDeviceToDevice,
  hipMemcpyDefault,
} hipMemcpyKind;
typedef enum hipFuncAttribute {
  hipFuncAttributeMaxDynamicSharedMemorySize = 8,
  hipFuncAttributePreferredSharedMemoryCarveout = 9,
} hipFuncAttribute;
typedef struct ihipStream_t *hipStream_t;
typedef struct ihipEvent_t *hipEvent_t;
typedef struct hipDeviceProp_t {
  char name[256];
  char gcnArchName[256];
  int multiProcessorCount, warpSize, clockRate;
  size_t totalGlobalMem, sharedMemPerBlock;
} hipDeviceProp_t;

extern "C" {
hipError_t hipMalloc(void **pointer, size_t bytes);
hipError_t hipHostMalloc(void **pointer, size_t bytes, unsigned int flags);
hipError_t hipFree(void *pointer);
hipError_t hipHostFree(void *pointer);
hipError_t hipMemset(void *to, int value, size_t bytes);
hipError_t hipMemcpy(void *to, const void *from, size_t bytes, hipMemcpyKind kind);
hipError_t hipMemcpyAsync(void *to, const void *from, size_t bytes, hipMemcpyKind kind, hipStream_t stream = 0);
hipError_t hipDeviceSynchronize(void);
hipError_t hipGetLastError(void);
hipError_t hipPeekAtLastError(void);
hipError_t hipSetDevice(int device);
hipError_t hipGetDevice(int *device);
hipError_t hipGetDeviceCount(int *count);
hipError_t hipGetDeviceProperties(hipDeviceProp_t *properties, int device);
hipError_t hipStreamCreate(hipStream_t *stream);
hipError_t hipStreamSynchronize(hipStream_t stream);
hipError_t hipStreamDestroy(hipStream_t stream);
hipError_t hipEventCreate(hipEvent_t *event);
hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream = 0);
hipError_t hipEventSynchronize(hipEvent_t event);
hipError_t hipEventElapsedTime(float *milliseconds, hipEvent_t begin, hipEvent_t end);
hipError_t hipEventDestroy(hipEvent_t event);
const char *hipGetErrorString(hipError_t error);
const char *hipGetErrorName(hipError_t error);
hipError_t hipLaunchKernel(const void *function, dim3 grid, dim3 block, void **arguments, size_t lds_bytes,
                           hipStream_t stream);
hipError_t __hipPushCallConfiguration(dim3 grid, dim3 block, size_t lds_bytes = 0, hipStream_t stream = 0);
hipError_t __hipPopCallConfiguration(dim3 *grid, dim3 *block, size_t *lds_bytes, hipStream_t *stream);
}

template <typename T>
static inline hipError_t hipMalloc(T **pointer, size_t bytes) {
  return hipMalloc((void **)pointer, bytes);
}
template <typename T>
static inline hipError_t hipHostMalloc(T **pointer, size_t bytes, unsigned int flags = 0) {
  return hipHostMalloc((void **)pointer, bytes, flags);
}
template <typename T>
static inline hipError_t hipFuncSetAttribute(T, int, int) {
  return hipSuccess;
}

#define hipLaunchKernelGGL(kernel, grid, block, lds_bytes, stream, ...) \
  kernel<<<(grid), (block), (lds_bytes), (stream)>>>(__VA_ARGS__)

#endif
