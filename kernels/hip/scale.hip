// Elementwise: Y = 2 X, a float4 a lane. Its waves live for one load and one store, and start and end all the
// time: what counts is how fast workgroups follow one another, and what memory gives.
#include <hip/hip_runtime.h>

extern "C" __global__ void __launch_bounds__(256) scale(const float4 *x, float4 *y) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const float4 a = x[i];
    y[i] = make_float4(2 * a.x, 2 * a.y, 2 * a.z, 2 * a.w);
}
