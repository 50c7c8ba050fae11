// Kernels for the corners of what compilers print; header-free. Each makes another kind of text.
#define KERNEL extern "C" __attribute__((global)) void
#define DEVICE static __attribute__((device))
#define SHARED __attribute__((address_space(3)))
#define GLOBAL __attribute__((address_space(1)))
#if defined(__gfx90a__)
#define COHERENT " glc slc"
#else
#define COHERENT " sc0 sc1"
#endif
typedef int int4_t __attribute__((ext_vector_type(4)));
typedef int int8_t_ __attribute__((ext_vector_type(8)));
typedef float float4_t __attribute__((ext_vector_type(4)));
typedef float float16_t __attribute__((ext_vector_type(16)));
typedef short short4_t __attribute__((ext_vector_type(4)));
typedef _Float16 half4_t __attribute__((ext_vector_type(4)));
typedef _Float16 half8_t __attribute__((ext_vector_type(8)));
typedef __bf16 bf16_8 __attribute__((ext_vector_type(8)));
typedef __bf16 bf16_2 __attribute__((ext_vector_type(2)));

DEVICE inline int thread() { return __builtin_amdgcn_workitem_id_x(); }
static __attribute__((shared)) float tile[2048];
static __attribute__((shared)) int counters[64];
__attribute__((constant)) const float coefficients[16] = {1, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47};

// Inline assembly: several statements, local labels, comments, modifiers, a wait in numbers.
KERNEL inline_assembly(const float *in, float *out, int n) {
  float a, b;
  asm volatile("global_load_dword %0, %2, off\n\tglobal_load_dword %1, %2, off offset:16" COHERENT "\n"
               "\ts_waitcnt 0xf70 ; numeric\n"
               : "=&v"(a), "=&v"(b)
               : "v"(in + thread())
               : "memory");
  int count = __builtin_amdgcn_readfirstlane(n);
  asm volatile("1:\n\ts_sub_i32 %0, %0, 1 // one less\n\tv_add_f32_e32 %1, 1.0, %1\n\ts_cmp_gt_i32 %0, 0\n"
               "\ts_cbranch_scc1 1b"
               : "+s"(count), "+v"(a)::"scc");
  asm volatile("/* packed */ v_pk_add_f32 %0, %0, %0 op_sel:[0,1] op_sel_hi:[1,0]\n\ts_nop 0x3; s_nop 1"
               : "+v"(*(double *)&a));
  asm volatile("v_mov_b32_dpp %0, %1 quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf" : "+v"(a) : "v"(b));
  asm volatile("v_add_u32_sdwa %0, %1, %1 dst_sel:WORD_1 dst_unused:UNUSED_PRESERVE src0_sel:BYTE_2 src1_sel:WORD_0"
               : "+v"(a)
               : "v"(b));
  asm volatile("s_setreg_imm32_b32 hwreg(HW_REG_MODE, 0, 4), 0x3\n\ts_sleep 1\n\ts_setprio 2\n\ts_setprio 0");
  out[thread()] = a + b;
}

// Scratch memory: an array indexed by data.
KERNEL scratch(const int *in, int *out, int n) {
  int values[64];
  for (int i = 0; i < 64; i++) values[i] = in[i * n + thread()];
  int sum = 0;
  for (int i = 0; i < n; i++) sum += values[(in[i] + i) & 63] ^ values[sum & 63];
  out[thread()] = sum;
}

// A constant table, found relative to the program counter.
KERNEL table(const int *in, float *out) { out[thread()] = coefficients[in[thread()] & 15] * coefficients[thread() & 15]; }

// Calls of functions that are not inlined.
DEVICE __attribute__((noinline)) float twisted(float x, int n) {
  for (int i = 0; i < n; i++) x = x * x - 1.5f;
  return x;
}
KERNEL calls(const float *in, float *out, int n) { out[thread()] = twisted(in[thread()], n) + twisted(in[n], 3); }

// Jumps by a switch, loops left in the middle, uniform and divergent.
KERNEL control(const int *in, int *out, int n) {
  int x = in[thread()], y = 0;
  for (int i = 0; i < n; i++) {
    if (in[i] == 77) continue;
    if (in[i] == x) break;
    switch (in[i] & 15) {
    case 0: y += x; break;
    case 1: y ^= x << 3; break;
    case 2: y -= i; break;
    case 3: y *= 5; break;
    case 4: y |= 0x1234567; break;
    case 7: y = __builtin_popcount(y); break;
    case 9: y = __builtin_clz(y | 1) + __builtin_ctz(x | 1); break;
    case 12: y = __builtin_bitreverse32(y); break;
    default: y = -y;
    }
    while (y > x) y -= n | 1;
  }
  if (__builtin_amdgcn_ballot_w64(y > 3) == ~0ull) out[0] = 1;
  out[thread()] = y;
}

// LDS of every width, exchange between lanes, LDS atomics.
KERNEL exchange(const float4_t *in, float4_t *out, int n) {
  int t = thread();
  SHARED float *lds = (SHARED float *)tile;
  *(SHARED float4_t *)(lds + t * 4) = in[t];
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
  float4_t v = *(SHARED float4_t *)(lds + (t ^ 5) * 4);
  v.x += lds[t] + lds[t + 64] + lds[t * 2] + lds[t * 2 + 1];
  v.y += ((SHARED unsigned char *)lds)[t] + ((SHARED short *)lds)[t] + ((SHARED signed char *)lds)[t * 3];
  v.z += *(SHARED double *)(lds + 2 * t) + *(SHARED double *)(lds + 2 * t + 256);
  int w = __builtin_amdgcn_ds_swizzle((int)v.x, 0x041f);
  w += __builtin_amdgcn_ds_bpermute(t * 4, w) + __builtin_amdgcn_ds_permute(t * 8, w);
  w += __builtin_amdgcn_readlane(w, 3) + __builtin_amdgcn_readfirstlane(w);
  w = __builtin_amdgcn_update_dpp(w, w, 0x111, 0xf, 0xf, false) + __builtin_amdgcn_mov_dpp(w, 0x128, 0xf, 0xf, true);
  __atomic_fetch_add((SHARED int *)counters + (t & 63), w, __ATOMIC_RELAXED);
  int old = __atomic_fetch_max((SHARED int *)counters + 3, w, __ATOMIC_RELAXED);
  v.w += w + old;
  ((SHARED char *)lds)[t] = w;
  ((SHARED short *)lds)[t + 512] = w;
  out[t] = v;
  out[t + n] = *(SHARED float4_t *)(lds + t);
}

// Atomics on global memory, loads and stores of all widths.
KERNEL memory(int *p, unsigned char *q, double *d, const signed char *r, short *s, _Float16 *h, int n) {
  int t = thread();
  int a = __atomic_fetch_add(p + t, n, __ATOMIC_RELAXED);
  a += __hip_atomic_fetch_and(p + t + 1, n, __ATOMIC_ACQ_REL, __HIP_MEMORY_SCOPE_AGENT);
  __hip_atomic_store(p + t + 2, a, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_SYSTEM);
  int wanted = a;
  __hip_atomic_compare_exchange_strong(p + 5, &wanted, n, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  d[t] += r[t] * d[t + 1] + (double)wanted / d[t + 2];
  q[t] = r[t] + q[t + n];
  s[t] = s[t + 1] * 3 + q[2];
  h[t] = h[t + 1] * (_Float16)2 + (_Float16)s[n];
  long big = *(long *)(p + 2 * t) * n;
  *(long *)(p + 2 * t) = big % (n | 1);
  ((int4_t *)p)[t] = ((int4_t *)p)[t + 7] + a;
  __builtin_nontemporal_store(a, p + 9 * t);
  p[n] = __builtin_nontemporal_load(p + t * 3) + __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0));
}

// Matrix instructions of several types.
KERNEL matrices(const half4_t *a, const short4_t *b, const int *c, const long *f8, float16_t *out, float4_t *out4) {
  int t = thread();
  float16_t x = out[t];
  float4_t y = out4[t];
  x = __builtin_amdgcn_mfma_f32_32x32x8f16(a[t], a[t + 1], x, 0, 0, 0);
  x = __builtin_amdgcn_mfma_f32_32x32x8bf16_1k(b[t], b[t + 1], x, 0, 0, 0);
  y = __builtin_amdgcn_mfma_f32_16x16x16f16(a[t], a[t + 2], y, 0, 0, 0);
  y = __builtin_amdgcn_mfma_f32_4x4x4f16(a[t], a[t + 2], y, 4, 3, 1);
  x = __builtin_amdgcn_mfma_f32_32x32x2f32(y.x, y.y, x, 0, 0, 0);
#if defined(__gfx942__) || defined(__gfx950__)
  int4_t z = *(const int4_t *)(c + t);
  z = __builtin_amdgcn_mfma_i32_16x16x32_i8(f8[t], f8[t + 1], z, 0, 0, 0);
  y = __builtin_amdgcn_mfma_f32_16x16x32_fp8_fp8(f8[t], f8[t + 1], y, 0, 0, 0);
  y = __builtin_amdgcn_mfma_f32_16x16x32_bf8_fp8(f8[t], f8[t + 1], y, 0, 0, 0);
  y.x += z.x + z.w + __builtin_amdgcn_cvt_f32_fp8(c[t], 1) + __builtin_amdgcn_cvt_f32_bf8(c[t], 0);
  y.y += __builtin_amdgcn_cvt_pk_fp8_f32(y.x, y.y, c[t], 1);
  y = __builtin_amdgcn_smfmac_f32_16x16x32_f16(a[t], *(const half8_t *)(a + 2 * t), y, c[t], 0, 0);
#endif
#if defined(__gfx950__)
  y = __builtin_amdgcn_mfma_f32_16x16x32_bf16(*(const bf16_8 *)(b + 2 * t), *(const bf16_8 *)(b + 4 * t), y, 0, 0, 0);
  x = __builtin_amdgcn_mfma_f32_32x32x16_f16(*(const half8_t *)(a + 2 * t), *(const half8_t *)(a + 4 * t), x, 0, 0, 0);
  const int8_t_ *m = (const int8_t_ *)c;
  y = __builtin_amdgcn_mfma_scale_f32_16x16x128_f8f6f4(m[t], m[t + 1], y, 4, 4, 0, c[t], 1, c[t + 1]);
  x = __builtin_amdgcn_mfma_scale_f32_32x32x64_f8f6f4(m[t], m[t + 1], x, 0, 1, 2, c[t], 3, c[t + 1]);
#endif
  out[t] = x;
  out4[t] = y;
}

// Arithmetic of all kinds: the compiler chooses three-operand and packed forms.
KERNEL arithmetic(const unsigned *u, const float *f, const _Float16 *h, float *out, unsigned long *wide, int n) {
  int t = thread();
  unsigned a = u[t], b = u[t + 1], c = u[t + 2];
  unsigned r = (a << 3) + b;
  r ^= (a & b) | c;
  r += (a >> 5 & 0x3ff) * (b & 0xffffff) + (c << 7 | a);
  r = __builtin_amdgcn_perm(r, a, 0x07020104) + __builtin_amdgcn_alignbit(r, b, 7) + __builtin_amdgcn_ubfe(a, 3, 9);
  r += a > b ? (a > c ? a : c) : (b > c ? b : c);
  r += __builtin_amdgcn_sad_u8(a, b, c) + __builtin_amdgcn_udot4(a, b, c, true) + __builtin_amdgcn_lerp(a, b, c);
  float x = f[t], y = f[t + 1], z = f[t + 2];
  float s = __builtin_fmaf(x, -y, __builtin_fabsf(z));
  s = __builtin_amdgcn_fmed3f(s, 0.0f, 1.0f) * 0.15915494f + __builtin_amdgcn_rcpf(x) - __builtin_amdgcn_rsqf(y);
  s += __builtin_floorf(x) * __builtin_rintf(y) + __builtin_amdgcn_fractf(z) + __builtin_ldexpf(x, n);
  s += __builtin_amdgcn_sinf(x) + __builtin_amdgcn_logf(y) + __builtin_sqrtf(z) + x / y;
  s += (float)r + (int)z + (unsigned)y + (float)(unsigned char)(a >> 16) + (float)(long)wide[t];
  _Float16 p = h[t], q = h[t + 1];
  s += (float)(p * q + p) + (float)__builtin_fmaxf16(p, q) + (float)((const half4_t *)h)[t].z;
  half4_t v = ((const half4_t *)h)[t] * ((const half4_t *)h)[t + 1] + p;
  bf16_2 w = {(__bf16)x, (__bf16)y};
  s += (float)v.x + (float)v.w + (float)w.x + (float)w.y;
  s = __builtin_isnan(s) || __builtin_isinf(x) ? -0.0f : s;
  wide[t] = (unsigned long)a * b + wide[t + n] / (c | 1) + (wide[t + 1] << (a & 63));
  wide[t + 1] = __builtin_amdgcn_s_memtime() + __builtin_readcyclecounter() + __builtin_amdgcn_s_getreg(0xf804);
  out[t] = s;
}

#if defined(__gfx942__) || defined(__gfx950__)
// Buffer accesses, and loads from global memory straight to LDS.
KERNEL buffers(const char *in, float *out, int n) {
  int t = thread();
  __amdgpu_buffer_rsrc_t r = __builtin_amdgcn_make_buffer_rsrc((void *)in, 0, n, 0x00020000);
  int4_t v = __builtin_amdgcn_raw_buffer_load_b128(r, t * 16, 0, 0);
  v.x += __builtin_amdgcn_raw_buffer_load_b32(r, t * 4, n, 0) + __builtin_amdgcn_raw_buffer_load_b8(r, t + 100, 0, 1);
  v.y += (short)__builtin_amdgcn_raw_buffer_load_b16(r, t * 2, n + 64, 0);
  __builtin_amdgcn_raw_buffer_store_b128(v, r, t * 16 + 4096, 0, 0);
  __builtin_amdgcn_raw_buffer_store_b8(v.x, r, t, n, 0);
  __builtin_amdgcn_global_load_lds((GLOBAL void *)(in + t * 4), (SHARED void *)tile, 4, 16, 0);
  __builtin_amdgcn_s_waitcnt(0x0f70);
  __builtin_amdgcn_s_barrier();
  out[t] = tile[t] + v.z;
}
#endif

#if defined(__gfx950__)
// What gfx950 adds: transposing LDS reads, swaps between lanes, conversions with scales.
KERNEL newer(const int *in, int *out, float *f) {
  int t = thread();
  typedef short v4 __attribute__((ext_vector_type(4)));
  v4 x = __builtin_amdgcn_ds_read_tr16_b64_v4i16((SHARED v4 *)((SHARED char *)tile + t * 8));
  unsigned a = in[t], b = in[t + 1];
  asm volatile("v_permlane16_swap_b32 %0, %1" : "+v"(a), "+v"(b));
  asm volatile("v_permlane32_swap_b32 %0, %1" : "+v"(a), "+v"(b));
  bf16_2 w = {(__bf16)f[t], (__bf16)f[t + 1]};
  asm volatile("v_prng_b32 %0, %1\n\tv_bitop3_b32 %0, %0, %1, %1 bitop3:0x96" : "+v"(a) : "v"(b));
  __builtin_amdgcn_global_load_lds((GLOBAL void *)(in + t * 4), (SHARED void *)tile, 16, 0, 0);
  out[t] = a + b + x.x + x.w + __builtin_bit_cast(int, w);
}
#endif
