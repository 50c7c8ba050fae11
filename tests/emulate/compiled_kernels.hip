typedef unsigned u32; typedef unsigned long long u64; typedef long long i64; typedef _Float16 half;
typedef float f4 __attribute__((ext_vector_type(4))); typedef float f16v __attribute__((ext_vector_type(16)));
typedef float f2 __attribute__((ext_vector_type(2)));
typedef half h4 __attribute__((ext_vector_type(4))); typedef half h8 __attribute__((ext_vector_type(8))); typedef half h2 __attribute__((ext_vector_type(2)));
typedef short s4 __attribute__((ext_vector_type(4))); typedef short s2 __attribute__((ext_vector_type(2)));
typedef __bf16 b8 __attribute__((ext_vector_type(8))); typedef __bf16 b2 __attribute__((ext_vector_type(2)));
typedef int i4 __attribute__((ext_vector_type(4))); typedef int i2 __attribute__((ext_vector_type(2))); typedef int i8v __attribute__((ext_vector_type(8)));
typedef u32 u4 __attribute__((ext_vector_type(4))); typedef u32 u2 __attribute__((ext_vector_type(2)));
typedef double d4 __attribute__((ext_vector_type(4)));
typedef unsigned char uc4 __attribute__((ext_vector_type(4)));
#define KERNEL(n) extern "C" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(n, n)))
#define SHARED __attribute__((shared)) static
#define BITS(to, x) __builtin_bit_cast(to, x)
#define TID __builtin_amdgcn_workitem_id_x()
__attribute__((device)) static inline void sync() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup"); __builtin_amdgcn_s_barrier(); __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup"); }
#ifdef K_softmax
// rows of 256 over one wave: 4 elements a lane; maximum by DPP, sum by ds_bpermute and swizzle
template <int C> __attribute__((device)) static inline float dpp(float x) { return BITS(float, __builtin_amdgcn_update_dpp(BITS(int,x), BITS(int, x), C, 0xf, 0xf, false)); }
KERNEL(256) void softmax(const float *A, const float *B, float *C, int n) {
  u32 lane = TID & 63, wave = TID >> 6;
  for (u32 row = wave; row < (u32)n; row += 4) {
    f4 v = ((const f4*)(A + row * 256))[lane];
    float m = __builtin_fmaxf(__builtin_fmaxf(v.x, v.y), __builtin_fmaxf(v.z, v.w));
    m = __builtin_fmaxf(m, dpp<0x111>(m)); m = __builtin_fmaxf(m, dpp<0x112>(m)); m = __builtin_fmaxf(m, dpp<0x114>(m)); m = __builtin_fmaxf(m, dpp<0x118>(m));
    m = __builtin_fmaxf(m, dpp<0x142>(m)); m = __builtin_fmaxf(m, dpp<0x143>(m));
    m = BITS(float, __builtin_amdgcn_readlane(BITS(int, m), 63));
    float s = 0; f4 e;
    for (int i = 0; i < 4; i++) { e[i] = __builtin_amdgcn_exp2f((v[i] - m) * 1.44269504f); s += e[i]; }
    s += BITS(float, __builtin_amdgcn_ds_swizzle(BITS(int, s), 0x041f));
    s += BITS(float, __builtin_amdgcn_ds_swizzle(BITS(int, s), 0x081f));
    for (int o = 4; o < 64; o <<= 1) s += BITS(float, __builtin_amdgcn_ds_bpermute(((lane ^ o) & 63) << 2, BITS(int, s)));
    ((f4*)(C + row * 256))[lane] = e / s;
  }
}
#endif
#ifdef K_gemms
KERNEL(64) void gemms(const half *A, const half *B, float *C, int n) {
  u32 l = TID, r = l & 15, g = l >> 4;
  // C0 = A[16,32] B[16,32]^T in f16; 
  f4 c = {0,0,0,0};
#ifdef __gfx950__
  h8 a = *(const h8*)(A + r * 32 + g * 8), b = *(const h8*)(B + r * 32 + g * 8);
  c = __builtin_amdgcn_mfma_f32_16x16x32_f16(a, b, c, 0, 0, 0);
#else
  for (int k = 0; k < 32; k += 16) {
    h4 a = *(const h4*)(A + r * 32 + k + g * 4), b = *(const h4*)(B + r * 32 + k + g * 4);
    c = __builtin_amdgcn_mfma_f32_16x16x16f16(a, b, c, 0, 0, 0); }
#endif
  for (int i = 0; i < 4; i++) C[(g * 4 + i) * 16 + r] = c[i];
  // 32x32 result over K = 32 in f32 
  u32 r2 = l & 31, g2 = l >> 5; f16v d = {};
  for (int k = 0; k < 32; k += 2) d = __builtin_amdgcn_mfma_f32_32x32x2f32((float)A[r2 * 32 + k + g2], (float)B[r2 * 32 + k + g2], d, 0, 0, 0);
  for (int i = 0; i < 16; i++) C[256 + ((i & 3) + 8 * (i >> 2) + 4 * g2) * 32 + r2] = d[i];
  // i8: 16x16x32
  i4 e = {0,0,0,0}; i64 pa, pb; 
  signed char qa[8], qb[8]; for (int i = 0; i < 8; i++) { qa[i] = (signed char)(A[r * 32 + g * 8 + i] * (half)100); qb[i] = (signed char)(B[r * 32 + g * 8 + i] * (half)100); }
  __builtin_memcpy(&pa, qa, 8); __builtin_memcpy(&pb, qb, 8);
  e = __builtin_amdgcn_mfma_i32_16x16x32_i8(pa, pb, e, 0, 0, 0);
  for (int i = 0; i < 4; i++) C[1280 + (g * 4 + i) * 16 + r] = (float)e[i];
  // fp8 16x16x32
  f4 f = {0,0,0,0}; int w[4];
  for (int i = 0; i < 2; i++) { const half *pA = A + r * 32 + g * 8 + 4 * i, *pB = B + r * 32 + g * 8 + 4 * i; int x = 0, y = 0;
    x = __builtin_amdgcn_cvt_pk_fp8_f32((float)pA[0], (float)pA[1], x, false); x = __builtin_amdgcn_cvt_pk_fp8_f32((float)pA[2], (float)pA[3], x, true);
    y = __builtin_amdgcn_cvt_pk_bf8_f32((float)pB[0], (float)pB[1], y, false); y = __builtin_amdgcn_cvt_pk_bf8_f32((float)pB[2], (float)pB[3], y, true); w[i] = x; w[2 + i] = y; }
  f = __builtin_amdgcn_mfma_f32_16x16x32_fp8_bf8((i64)(u32)w[0] | (i64)w[1] << 32, (i64)(u32)w[2] | (i64)w[3] << 32, f, 0, 0, 0);
  for (int i = 0; i < 4; i++) C[1536 + (g * 4 + i) * 16 + r] = f[i];
  // f64 16x16x4
  d4 h = {0,0,0,0};
  for (int k = 0; k < 32; k += 4) h = __builtin_amdgcn_mfma_f64_16x16x4f64((double)A[r * 32 + k + g], (double)B[r * 32 + k + g], h, 0, 0, 0);
  for (int i = 0; i < 4; i++) C[1792 + (g + 4 * i) * 16 + r] = (float)h[i];
  // bf16 4x4x4 with 16 blocks
  s4 ba, bb; for (int i = 0; i < 4; i++) { ba[i] = BITS(short, (__bf16)(float)A[l * 4 + i]); bb[i] = BITS(short, (__bf16)(float)B[l * 4 + i]); }
  f4 q = {0,0,0,0}; q = __builtin_amdgcn_mfma_f32_4x4x4bf16_1k(ba, bb, q, 0, 0, 0);
  for (int i = 0; i < 4; i++) C[2048 + (l >> 2) * 16 + i * 4 + (l & 3)] = q[i];
}
#endif
#ifdef K_atomics
KERNEL(256) void atomics(const float *A, const float *B, float *C, int n) {
  SHARED int count[16]; SHARED float most; SHARED u64 wide;
  u32 t = TID; int *I = (int*)C;
  if (t < 16) count[t] = 0; if (!t) { most = 0; wide = 0; }
  sync();
  int bin = (int)((A[t] + 1.0f) * 8.0f); if (bin > 15) bin = 15;
  __atomic_fetch_add(&count[bin], 1, __ATOMIC_RELAXED);
  __hip_atomic_fetch_add(&most, 0.5f, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_WORKGROUP);
  __atomic_fetch_add(&wide, (u64)t << 30, __ATOMIC_RELAXED);
  sync();
  if (t < 16) I[t] = count[t]; if (t == 16) I[16] = (int)most; if (t == 17) I[17] = (int)(wide >> 30);
  __atomic_fetch_add(&I[32], (int)t, __ATOMIC_RELAXED);
  __hip_atomic_fetch_max(&I[33], (int)(t * 37 % 256), __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  __hip_atomic_fetch_add(&C[34], 0.25f, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  __hip_atomic_fetch_or(&I[35], 1 << (t & 31), __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  if ((t & 63) == 5) { int old = __hip_atomic_load(&I[36], __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT), next;   // compare and swap loop
    do next = old * 2 + 1; while (!__hip_atomic_compare_exchange_strong(&I[36], &old, next, __ATOMIC_RELAXED, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT)); }
  __hip_atomic_fetch_add((double*)&C[38], 0.5, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
#endif
#ifdef K_to_lds
KERNEL(256) void to_lds(const float *A, const float *B, float *C, int n) {
  SHARED float s[1024];
  u32 t = TID, w = t >> 6;
  typedef __attribute__((address_space(3))) float *lp; typedef __attribute__((address_space(1))) const float *gp;
#ifdef __gfx950__
  __builtin_amdgcn_global_load_lds((__attribute__((address_space(1))) void*)(gp)(A + t * 4), (__attribute__((address_space(3))) void*)(lp)(s + w * 256), 16, 0, 0);
#else
  for (int i = 0; i < 4; i++)
    __builtin_amdgcn_global_load_lds((__attribute__((address_space(1))) void*)(gp)(A + i * 256 + t), (__attribute__((address_space(3))) void*)(lp)(s + i * 256 + w * 64), 4, 0, 0);
#endif
  __builtin_amdgcn_s_waitcnt(0);
  sync();
  f4 sum = {0,0,0,0};
  for (int i = 0; i < 4; i++) sum[i] = s[(t * 4 + i * 5) & 1023];
  ((f4*)C)[t] = sum;
}
#endif
#ifdef K_packed
KERNEL(256) void packed(const float *A, const float *B, float *C, int n) {
  u32 t = TID; f2 a = ((const f2*)A)[t], b = ((const f2*)B)[t];
  f2 r = a * b + a; r = r - b * (f2){2.0f, 3.0f}; r = __builtin_elementwise_fma(a, r, b); 
  h2 x = __builtin_convertvector(a, h2), y = __builtin_convertvector(b, h2); h2 z = x * y + y; z = __builtin_elementwise_max(z, x); z = __builtin_elementwise_min(z, (h2){(half)0.5f, (half)0.75f});
  s2 i = __builtin_convertvector(a * 1000.0f, s2), j = __builtin_convertvector(b * 1000.0f, s2); s2 k = i * (s2){3, 5} + j; k = k >> (s2){1, 2}; k = __builtin_elementwise_max(k, j);
  float d = __builtin_amdgcn_fdot2(x, y, 1.5f, false);
  float by = b.y; int q = __builtin_amdgcn_sdot4(BITS(int, a.x), BITS(int, by), 7, false);
  u32 p = __builtin_amdgcn_perm(BITS(u32, a.x), BITS(u32, b.x), 0x07020500u);
  float *c = C + t * 10; c[0] = r.x; c[1] = r.y; c[2] = (float)z.x; c[3] = (float)z.y; c[4] = k.x; c[5] = k.y; c[6] = d; c[7] = (float)q; c[8] = (float)p; c[9] = __builtin_amdgcn_fmed3f(a.x, a.y, b.x);
}
#endif
#ifdef K_private
KERNEL(64) void private_arrays(const float *A, const float *B, float *C, int n) {
  u32 t = TID; float v[40]; for (int i = 0; i < 40; i++) v[i] = A[i * 64 + t];
  for (int i = 0; i < n; i++) { int j = (int)(t * 7 + i * 13) % 40, k = (int)(t * 3 + i) % 40; float x = v[j]; v[j] = v[k] + 1.0f; v[k] = x; }
  float s = 0; for (int i = 0; i < 40; i++) s += v[i] * (float)(i + 1);
  C[t] = s;
  // a small array, indexed uniformly
  float w[8]; for (int i = 0; i < 8; i++) w[i] = B[i * 64 + t];
  float u = 0; for (int i = 0; i < n; i++) { int j = (i * 5 + n) & 7; u += w[j]; w[j] = u * 0.5f; }
  C[64 + t] = u;
}
#endif
#ifdef K_wide
KERNEL(256) void wide(const float *A, const float *B, float *C, int n) {
  u32 t = TID; i64 a = (i64)(A[t] * 1e9f) * 1000003, b = (i64)(B[t] * 1e6f) | 1; u64 ua = (u64)a * 3, ub = (u64)(b < 0 ? -b : b);
  float *c = C + t * 12;
  c[0] = (float)(a / b); c[1] = (float)(a % b); c[2] = (float)(ua / ub); c[3] = (float)(ua % ub); c[4] = (float)(a >> (t & 31)); c[5] = (float)(ua >> (t & 63));
  c[6] = (float)(u32)__builtin_clzll(ua | 1); c[7] = (float)__builtin_popcountll(ua); c[8] = (float)(u32)((ua * ub) >> 40); c[9] = (float)((double)a * 0.5); 
  int x = (int)(a >> 20), y = (int)b; c[10] = (float)(x / y); c[11] = (float)(x % y);
}
#endif
#ifdef K_floats
KERNEL(256) void floats(const float *A, const float *B, float *C, int n) {
  u32 t = TID; float a = A[t], b = B[t]; double da = a, db = b; half ha = (half)a, hb = (half)b; float *c = C + t * 16;
  c[0] = a / b; c[1] = (float)(da / db); c[2] = (float)(ha / hb); c[3] = __builtin_sqrtf(a * a + 1.0f); c[4] = (float)__builtin_sqrt(da * da + 2.0); c[5] = __builtin_floorf(a * 10) + __builtin_ceilf(b * 10);
  c[6] = __builtin_rintf(a * 10); c[7] = __builtin_truncf(b * 7); c[8] = __builtin_fabsf(a) - __builtin_copysignf(b, a); c[9] = (float)(da * db + da); c[10] = __builtin_exp2f(a); c[11] = __builtin_log2f(b * b + 1.0f);
  c[12] = (float)(__bf16)(a + b); c[13] = __builtin_amdgcn_rcpf(a + 3.0f); c[14] = (float)(int)(a * 100) + (float)(u32)(b * 50 + 60); c[15] = __builtin_ldexpf(a, (int)(b * 10));
}
#endif
#ifdef K_branches
KERNEL(256) void branches(const float *A, const float *B, float *C, int n) {
  u32 t = TID; float x = A[t]; int s = 0;
  switch (t % 7) { case 0: x += 1; break; case 1: x *= 2; case 2: x -= 3; break; case 3: for (u32 i = 0; i < t; i++) { if (i * i > 900) break; x += 0.5f; } break; case 5: x = -x; break; default: x = B[t]; }
  for (int i = 0; i < n; i++) { if ((t + i) & 1) { if (x > 0.5f) { s += i; continue; } else s -= 1; } else if (x < -0.5f) { s += 100; if (s > 250) break; } for (int j = 0; j < (int)(t & 3); j++) s += j; }
  u64 ballot = __builtin_amdgcn_ballot_w64(x > 0); u32 below = __builtin_amdgcn_mbcnt_hi((u32)(ballot >> 32), __builtin_amdgcn_mbcnt_lo((u32)ballot, 0));
  float first = BITS(float, __builtin_amdgcn_readfirstlane(BITS(int, x)));
  float *c = C + t * 4; c[0] = x; c[1] = (float)s; c[2] = (float)below; c[3] = first;
}
#endif
#ifdef K_bytes
KERNEL(256) void bytes(const u32 *A, const u32 *B, float *C, int n) {
  u32 t = TID; uc4 a = ((const uc4*)A)[t], b = ((const uc4*)B)[t]; uc4 s = a + b; uc4 m = a > b ? a : b; float f = 0; for (int i = 0; i < 4; i++) f += (float)s[i] * (float)m[i];
  signed char x = ((const signed char*)A)[t * 3]; short y = ((const short*)B)[t + 5]; ((unsigned char*)(C + 1024))[t] = (unsigned char)(x + y); ((short*)(C + 1152))[t] = (short)(x * y);
  float *c = C + t * 4; c[0] = f; c[1] = (float)((A[t] >> 7 & 0x1ff) * (B[t] & 0xfff)); c[2] = (float)(x - y); c[3] = (float)__builtin_amdgcn_ubfe(A[t], 5, 9) + (float)__builtin_amdgcn_alignbit(A[t], B[t], 13);
}
#endif
#ifdef K_buffers
typedef __amdgpu_buffer_rsrc_t rsrc;
KERNEL(256) void buffers(const float *A, const float *B, float *C, int n) {
  u32 t = TID; rsrc ra = __builtin_amdgcn_make_buffer_rsrc((void*)A, 0, 4096, 0x00027000), rc = __builtin_amdgcn_make_buffer_rsrc((void*)C, 0, 4096 + 64, 0x00027000);
  u4 v = __builtin_amdgcn_raw_buffer_load_b128(ra, t * 16, 0, 0);             // all inside
  u32 w = __builtin_amdgcn_raw_buffer_load_b32(ra, t * 32, 0, 0);             // half of it outside: 0
  v.x = BITS(u32, BITS(float, v.x) + BITS(float, w));
  __builtin_amdgcn_raw_buffer_store_b128(v, rc, t * 16, 64, 0);
}
#endif
#ifdef K_tr
KERNEL(64) void tr(const half *A, const half *B, float *C, int n) {
  SHARED half s[16 * 64]; u32 l = TID;
  for (int i = 0; i < 16; i++) s[i * 64 + l] = A[i * 64 + l];   // 16 rows of 64
  sync();
  typedef __attribute__((address_space(3))) s4 *lp;
  u32 g = l >> 4, r = l & 15;
  s4 v = __builtin_amdgcn_ds_read_tr16_b64_v4i16((lp)(s + (r >> 2) * 64 + g * 16 + (r & 3) * 4));
  for (int i = 0; i < 4; i++) C[l * 4 + i] = (float)BITS(half, (short)v[i]);
}
#endif
#ifdef K_scaled
KERNEL(64) void scaled(const u32 *A, const u32 *B, float *C, int n) {
  u32 l = TID; i8v a, b; for (int i = 0; i < 8; i++) { a[i] = (int)(A[l * 8 + i] & 0x3f3f3f3fu); b[i] = (int)(B[l * 8 + i] & 0x37373737u); }
  f4 c = {1,2,3,4}; int sa = 0x7f7e7d80 + (l & 1), sb = 0x80807f7f;
  c = __builtin_amdgcn_mfma_scale_f32_16x16x128_f8f6f4(a, b, c, 0, 0, 1, sa, 2, sb);
  ((f4*)C)[l] = c;
  u2 p = { A[l], B[l] }; int ax = (int)p.x, ay = (int)p.y;
  u2 q = __builtin_amdgcn_permlane32_swap(ax, ay, false, false); u2 r = __builtin_amdgcn_permlane16_swap(ax, ay, false, false);
  ((u4*)C)[64 + l] = (u4){q.x, q.y, r.x, r.y};
}
#endif
#ifdef K_grid
KERNEL(256) void grid(const float *A, const float *B, float *C, int n) {
  u32 t = TID, x = __builtin_amdgcn_workgroup_id_x(), y = __builtin_amdgcn_workgroup_id_y();
  C[(y * 2 + x) * 256 + t] = A[t] + (float)(x * 10 + y) ;
}
#endif
#ifdef K_lookup
__attribute__((constant)) static const float table[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
KERNEL(64) void lookup(const float *A, const float *B, float *C, int n) {   // tables in .rodata
  u32 t = TID; int k;
  switch (t % 13) { case 0: k = 7; break; case 1: k = 19; break; case 2: k = -4; break; case 3: k = 1000; break; case 4: k = 33; break; case 5: k = 2; break; case 6: k = 77; break; default: k = 1; }
  C[t] = A[t] * table[(t * 5) & 15] + (float)k;
}
#endif
#ifdef K_calls
__attribute__((device)) __attribute__((noinline)) float helper(float x, float y, int n) { float s = x; for (int i = 0; i < n; i++) s = s * y + x; return s; }
KERNEL(64) void calls(const float *A, const float *B, float *C, int n) {
  u32 t = TID; C[t] = helper(A[t], B[t], n) + helper(B[t], A[t], 2);
}
#endif
