#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
__device__ __attribute__((noinline)) float pick(const float* v, int i) {
  float local[4];
  for (int k = 0; k < 4; ++k) local[k] = v[(i + k) & 7] * 0.25f;
  volatile float* p = local;
  return p[i & 3] + p[(i + 1) & 3] + p[(i + 2) & 3] + p[(i + 3) & 3];
}
extern "C" __global__ void spill(const float* a, float* b, int n) {
  int t = __builtin_amdgcn_workitem_id_x();
  float v[8];
  for (int i = 0; i < 8; ++i) v[i] = a[t * 8 + i];
  float s = 0;
  for (int i = 0; i < n; ++i) s += pick(v, i + t);
  b[t] = s;
}
