// Kernels whose threads work together: atomics of all kinds, DPP, ballots, buffers, dot products. K_name picks one.
typedef unsigned u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;
typedef short s2 __attribute__((ext_vector_type(2)));
typedef _Float16 h2 __attribute__((ext_vector_type(2)));
typedef __bf16 b2 __attribute__((ext_vector_type(2)));
#define KERNEL extern "C" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(256, 256))) void
#define LDS __attribute__((shared)) static
#define BITS(type, value) __builtin_bit_cast(type, value)
#define AGENT __ATOMIC_RELAXED, __MEMORY_SCOPE_DEVICE
#define GROUP __ATOMIC_RELAXED, __MEMORY_SCOPE_WRKGRP
#define BARRIER()                                         \
  do {                                                    \
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup"); \
    __builtin_amdgcn_s_barrier();                         \
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup"); \
  } while (0)
#define TID u32 t = __builtin_amdgcn_workitem_id_x()

#ifdef K_global_atomics
KERNEL global_atomics(const u32* A, u32* O) {
  TID;
  u32 a = A[t];
  __scoped_atomic_fetch_add(O + 0, a, AGENT);
  __scoped_atomic_fetch_sub(O + 1, a, AGENT);
  __scoped_atomic_fetch_and(O + 2, a | 0xff, AGENT);
  __scoped_atomic_fetch_or(O + 3, a & 0x10101, AGENT);
  __scoped_atomic_fetch_xor(O + 4, a, AGENT);
  __scoped_atomic_fetch_min((i32*)O + 5, (i32)a, AGENT);
  __scoped_atomic_fetch_max((i32*)O + 6, (i32)a, AGENT);
  __scoped_atomic_fetch_min(O + 7, a, AGENT);
  __scoped_atomic_fetch_max(O + 8, a, AGENT);
  u64* W = (u64*)(O + 10);
  u64 w = (u64)a << 20 | t;
  __scoped_atomic_fetch_add(W + 0, w, AGENT);
  __scoped_atomic_fetch_xor(W + 1, w, AGENT);
  __scoped_atomic_fetch_max(W + 2, w, AGENT);
  __scoped_atomic_fetch_min((i64*)W + 3, (i64)(w << 24), AGENT);
  O[32 + t] = __scoped_atomic_fetch_add(O + 20, 3u, AGENT);
  u32 seen = O[21], next;
  do next = seen + (a & 15);
  while (!__scoped_atomic_compare_exchange_n(O + 21, &seen, next, 0, __ATOMIC_RELAXED, AGENT));
  O[288 + t] = __scoped_atomic_exchange_n(O + 22, t + 1, AGENT);
}
#endif

#ifdef K_lds_atomics
KERNEL lds_atomics(const u32* A, u32* O) {
  TID;
  LDS u32 s[16];
  LDS u64 w[4];
  LDS float f[2];
  if (t < 16) s[t] = t == 2 || t == 5 || t == 7 ? 0xffffffffu >> (t == 5) : 0;
  if (t < 4) w[t] = 0;
  if (t < 2) f[t] = 0;
  BARRIER();
  u32 a = A[t];
  __scoped_atomic_fetch_add(s + 0, a, GROUP);
  __scoped_atomic_fetch_sub(s + 1, a, GROUP);
  __scoped_atomic_fetch_and(s + 2, a | 0xff, GROUP);
  __scoped_atomic_fetch_or(s + 3, a & 0x10101, GROUP);
  __scoped_atomic_fetch_xor(s + 4, a, GROUP);
  __scoped_atomic_fetch_min((i32*)s + 5, (i32)a, GROUP);
  __scoped_atomic_fetch_max((i32*)s + 6, (i32)a, GROUP);
  __scoped_atomic_fetch_min(s + 7, a, GROUP);
  __scoped_atomic_fetch_max(s + 8, a, GROUP);
  __scoped_atomic_fetch_add(w + 0, (u64)a << 20, GROUP);
  __scoped_atomic_fetch_max(w + 1, (u64)a << 20, GROUP);
  __scoped_atomic_fetch_or(w + 2, 1ull << (a & 63), GROUP);
  __scoped_atomic_fetch_add(f + 0, (float)(a & 63), GROUP);
  u32 ticket = __scoped_atomic_fetch_add(s + 9, 1u, GROUP);
  u32 seen = s[10], next;
  do next = seen > (a & 0xffff) ? seen : (a & 0xffff);
  while (!__scoped_atomic_compare_exchange_n(s + 10, &seen, next, 0, __ATOMIC_RELAXED, GROUP));
  BARRIER();
  if (t < 16) O[t] = s[t];
  if (t < 3) O[16 + 2 * t] = (u32)w[t], O[17 + 2 * t] = (u32)(w[t] >> 32);
  if (t == 0) O[22] = BITS(u32, f[0]);
  O[32 + t] = ticket;
}
#endif

#ifdef K_float_atomics
KERNEL float_atomics(const u32* A, u32* O) {
  TID;
  float x = (float)(A[t] & 255);
  __builtin_amdgcn_global_atomic_fadd_f64((__attribute__((address_space(1))) double*)O, (double)x * 0.5);
  __builtin_amdgcn_global_atomic_fadd_f32((__attribute__((address_space(1))) float*)O + 4, x);
  __builtin_amdgcn_global_atomic_fmax_f64((__attribute__((address_space(1))) double*)O + 3, (double)x);
  __builtin_amdgcn_global_atomic_fmin_f64((__attribute__((address_space(1))) double*)O + 4, -(double)x);
}
#endif

#ifdef K_dpp
#define DPP(v, control, rows) __builtin_amdgcn_update_dpp(0, v, control, rows, 0xf, false)
KERNEL dpp(const u32* A, u32* O) {
  TID;
  i32 v = (i32)(A[t] & 0xffff), s = v;
  s += DPP(s, 0x111, 0xf);  // row_shr:1, 2, 4, 8: sums up to each lane of a row
  s += DPP(s, 0x112, 0xf);
  s += DPP(s, 0x114, 0xf);
  s += DPP(s, 0x118, 0xf);
  s += DPP(s, 0x142, 0xa);  // row_bcast:15 and 31: of the rows before
  s += DPP(s, 0x143, 0xc);
  O[t] = (u32)s;
  O[256 + t] = (u32)__builtin_amdgcn_update_dpp(7, v, 0x101, 0xf, 0xf, false);  // row_shl:1, else 7
  O[512 + t] = (u32)__builtin_amdgcn_mov_dpp(v, 0x1b, 0xf, 0xf, true);          // quad_perm:[3,2,1,0]
  O[768 + t] = (u32)__builtin_amdgcn_mov_dpp(v, 0x140, 0xf, 0xf, true);         // row_mirror
  O[1024 + t] = (u32)__builtin_amdgcn_update_dpp(9, v, 0x121, 0x5, 0x3, false); // row_ror:1 in some rows, banks
}
#endif

#ifdef K_ballots
KERNEL ballots(const u32* A, u32* O) {
  TID;
  u32 a = A[t];
  u64 odd = __builtin_amdgcn_ballot_w64(a & 1);
  u32 before = __builtin_amdgcn_mbcnt_hi((u32)(odd >> 32), __builtin_amdgcn_mbcnt_lo((u32)odd, 0));
  O[t] = before;
  O[256 + t] = (u32)__builtin_popcountll(odd) + (u32)__builtin_amdgcn_readfirstlane(a & 0xff) * 1000;
  O[512 + t] = (u32)__builtin_amdgcn_readlane(a, 37);
  O[768 + t] = (u32)__builtin_amdgcn_ds_bpermute((i32)(((t * 7) & 63) << 2), (i32)a);
  O[1024 + t] = (u32)__builtin_amdgcn_ds_permute((i32)(((t * 5 + 3) & 63) << 2), (i32)a);
  O[1280 + t] = (u32)__builtin_amdgcn_ds_swizzle((i32)a, 0x401f);
  u32 most = a, rounds = 0;
  for (u64 left = __builtin_amdgcn_ballot_w64(1); left; left &= left - 1, rounds++) {
    u32 other = (u32)__builtin_amdgcn_readlane(a, (u32)__builtin_ctzll(left));
    most = most > other ? most : other;
  }
  O[1536 + t] = most ^ rounds;
}
#endif

#ifdef K_resources
typedef u32 u4 __attribute__((ext_vector_type(4)));
KERNEL resources(const u32* A, u32* O) {
  TID;
  __amdgpu_buffer_rsrc_t in = __builtin_amdgcn_make_buffer_rsrc((void*)A, 0, 1000, 0x27000);
  __amdgpu_buffer_rsrc_t out = __builtin_amdgcn_make_buffer_rsrc(O, 0, 16 * 256 - 8, 0x27000);
  u4 v = BITS(u4, __builtin_amdgcn_raw_buffer_load_b128(in, (i32)(4 * t), 0, 0));
  __builtin_amdgcn_raw_buffer_store_b128(BITS(u4, v), out, (i32)(16 * t), 0, 0);
  O[1024 + t] = __builtin_amdgcn_raw_buffer_load_b8(in, (i32)t, 8, 0);
  O[1280 + t] = __builtin_amdgcn_raw_buffer_load_b32(in, (i32)(4 * t) - 40, 0, 0);
}
#endif

#ifdef K_dots
KERNEL dots(const u32* A, const u32* B, u32* O) {
  TID;
  u32 a = A[t], b = B[t];
  O[t] = (u32)__builtin_amdgcn_sdot4((i32)a, (i32)b, 77, false);
  O[256 + t] = __builtin_amdgcn_udot4(a, b, 77, false);
  O[512 + t] = (u32)__builtin_amdgcn_sdot2(BITS(s2, a), BITS(s2, b), 5, false);
  O[768 + t] = (u32)__builtin_amdgcn_sdot8((i32)a, (i32)b, -3, false);
  O[1024 + t] = __builtin_amdgcn_perm(a, b, 0x07020500 | (t & 3));
  O[1280 + t] = __builtin_amdgcn_alignbit(a, b, t & 31);
  O[1536 + t] = __builtin_amdgcn_sad_u8(a, b, 1000);
  O[1792 + t] = __builtin_amdgcn_ubfe(a, t & 31, 9) + (u32)__builtin_amdgcn_sbfe((i32)b, t & 31, 7);
}
#endif

#ifdef K_bf16
KERNEL bf16(const float* A, const float* B, u32* O) {
  TID;
  b2 x = {(__bf16)A[t], (__bf16)B[t]}, y = {(__bf16)(A[t] * 3.0f), (__bf16)B[255 - t]};
  b2 sum = x + y, product = x * y;
  O[t] = BITS(u32, sum);
  O[256 + t] = BITS(u32, product);
  O[512 + t] = BITS(u32, (float)x.x + (float)y.y);
  h2 h = {(_Float16)A[t], (_Float16)B[t]}, g = h * h + (h2){(_Float16)1, (_Float16)-2};
  O[768 + t] = BITS(u32, g);
}
#endif
