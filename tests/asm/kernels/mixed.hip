// Kernels that make the compiler use many kinds of instructions; header-free.
#define KERNEL extern "C" __attribute__((global)) void
#define DEVICE __attribute__((device)) inline
typedef float float2_t __attribute__((ext_vector_type(2)));
typedef float float16_t __attribute__((ext_vector_type(16)));
typedef _Float16 half2_t __attribute__((ext_vector_type(2)));
typedef _Float16 half4_t __attribute__((ext_vector_type(4)));

__attribute__((device)) __attribute__((shared)) float buffer[1024];

DEVICE int thread() { return __builtin_amdgcn_workitem_id_x(); }
DEVICE int group() { return __builtin_amdgcn_workgroup_id_x(); }
DEVICE int bits(float x) { return __builtin_bit_cast(int, x); }
DEVICE float value(int x) { return __builtin_bit_cast(float, x); }

// Loops, LDS, transcendentals, lane exchange, DPP with and without bound_ctrl.
KERNEL softmax(const float *in, float *out, int n) {
  int t = thread();
  const float *row = in + (long)group() * n;
  float top = -1e30f;
  for (int i = t; i < n; i += 256) top = __builtin_fmaxf(top, row[i]);
  for (int d = 32; d; d >>= 1)
    top = __builtin_fmaxf(top, value(__builtin_amdgcn_ds_bpermute((t ^ d) * 4, bits(top))));
  buffer[t] = top;
  __builtin_amdgcn_s_barrier();
  for (int i = 0; i < 256; i += 64) top = __builtin_fmaxf(top, buffer[(t & 63) + i]);
  float sum = 0;
  for (int i = t; i < n; i += 256) sum += __builtin_amdgcn_exp2f((row[i] - top) * 1.44269504f);
  sum += value(__builtin_amdgcn_update_dpp(0, bits(sum), 0x111, 0xf, 0xf, true));
  sum += value(__builtin_amdgcn_mov_dpp(bits(sum), 0x142, 0xa, 0xf, false));
  for (int i = t; i < n; i += 256)
    out[(long)group() * n + i] = __builtin_amdgcn_exp2f((row[i] - top) * 1.44269504f) / sum;
}

// 64-bit and narrow integers, double, division, atomics, divergent control flow.
KERNEL scalars(const int *a, long *b, unsigned char *c, short *s, double *d, int n) {
  int t = thread() + group() * 256;
  if (t >= n) return;
  int x = a[t];
  long y = b[t];
  unsigned z = c[t];
  short w = s[t];
  double q = d[t];
  b[t] = y * x + z;
  c[t] = (x / (z + 1)) % 7;
  s[t] = w >> (x & 15);
  d[t] = __builtin_sqrt(q) * x / (q + 1.0);
  __atomic_fetch_add((int *)(b + n), x, __ATOMIC_RELAXED);
  switch (x & 7) {
  case 0: b[0] = 1; break;
  case 1: s[1] = 2; break;
  case 2: c[4] = 3; break;
  case 5: d[7] = 2; break;
  }
}

KERNEL packed(const float2_t *a, const half2_t *b, float2_t *out, half2_t *half) {
  int t = thread();
  float2_t x = a[t], y = a[t + 64];
  out[t] = x * y + x;
  out[t + 1] = __builtin_elementwise_fma(x, y, x);
  half2_t u = b[t], v = b[t + 64];
  half[t] = u * v + u;
  half[t + 64] = __builtin_elementwise_max(u, v);
  half[t + 128] = __builtin_bit_cast(half2_t, __builtin_amdgcn_cvt_pkrtz(x.x, y.y));
}

KERNEL matrix(const half4_t *a, const half4_t *b, float16_t *out, int n) {
  int t = thread();
  float16_t c = {0};
  for (int k = 0; k < n; k++) c = __builtin_amdgcn_mfma_f32_32x32x8f16(a[t + k * 64], b[t + k * 64], c, 0, 0, 0);
  out[t] = c;
}

KERNEL lanes(const int *a, int *out) {
  int t = thread();
  int x = a[t];
  int first = __builtin_amdgcn_readfirstlane(x);
  int other = __builtin_amdgcn_readlane(x, first & 63);
  out[t] = other + first + __builtin_amdgcn_ds_swizzle(x, 0x801f) + __builtin_amdgcn_mbcnt_lo(~0u, 0) +
           __builtin_popcountll(__builtin_amdgcn_ballot_w64(x > first));
  out[t + 64] = __builtin_amdgcn_perm(x, first, 0x07060302) + __builtin_amdgcn_ubfe(x, 3, 5) +
                __builtin_amdgcn_alignbit(x, first, 7);
  __builtin_amdgcn_s_sleep(3);
  __builtin_amdgcn_s_setprio(2);
  out[t + 128] = __builtin_amdgcn_s_memtime();
  asm volatile("s_nop 1\n1: s_sub_u32 %0, %0, 1\n s_cmp_lg_u32 %0, 0 // loop\n s_cbranch_scc1 1b" : "+s"(first));
  out[t + 192] = first;
}

// Scratch memory and a function call.
__attribute__((device)) __attribute__((noinline)) float helper(float x, int n) {
  float s = 0;
  for (int i = 0; i < n; i++) s += x * i;
  return s;
}
KERNEL scratch(float *a, int n) {
  float v[64];
  for (int i = 0; i < 64; i++) v[i] = a[i];
  for (int i = 0; i < n; i++) v[(i * 7) & 63] += v[(i * 5 + n) & 63];
  a[n] = v[n & 63] + helper(a[0], n);
}
