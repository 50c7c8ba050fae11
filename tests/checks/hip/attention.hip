// Flash attention, 128 rows of Q in 4 waves, D = 64, 32 keys at a time: S^T = K Q^T so that a lane holds one row
// of Q, online softmax in base 2, O^T += V^T P^T with P from registers. Header-free; a test of wavesim.
typedef float f16v __attribute__((ext_vector_type(16)));
typedef __bf16 b4 __attribute__((ext_vector_type(4)));
typedef __bf16 b8 __attribute__((ext_vector_type(8)));
typedef short s4 __attribute__((ext_vector_type(4)));
typedef unsigned u2 __attribute__((ext_vector_type(2)));
typedef unsigned u4 __attribute__((ext_vector_type(4)));
#define DEVICE __attribute__((device)) static inline
#define BITS(to, x) __builtin_bit_cast(to, x)
enum { D = 64, KEYS = 32 };

DEVICE unsigned pack(float low, float high) {
  unsigned made;
#ifdef __gfx950__
  asm("v_cvt_pk_bf16_f32 %0, %1, %2" : "=v"(made) : "v"(low), "v"(high));
#else
  made = BITS(unsigned short, (__bf16)low) | (unsigned)BITS(unsigned short, (__bf16)high) << 16;
#endif
  return made;
}

// the other half of the wave has the other keys of the same row
DEVICE float across(float x) {
#ifdef __gfx950__
  auto both = __builtin_amdgcn_permlane32_swap(BITS(unsigned, x), BITS(unsigned, x), false, false);
  return BITS(float, (__builtin_amdgcn_workitem_id_x() & 32) ? both[0] : both[1]);
#else
  unsigned lane = __builtin_amdgcn_workitem_id_x() & 63;
  return BITS(float, __builtin_amdgcn_ds_bpermute((lane ^ 32) << 2, BITS(int, x)));
#endif
}

DEVICE f16v product(u4 a, u4 b, f16v c) {
#ifdef __gfx950__
  return __builtin_amdgcn_mfma_f32_32x32x16_bf16(BITS(b8, a), BITS(b8, b), c, 0, 0, 0);
#else
  u2 a0 = a.xy, a1 = a.zw, b0 = b.xy, b1 = b.zw;
  c = __builtin_amdgcn_mfma_f32_32x32x8bf16_1k(BITS(s4, a0), BITS(s4, b0), c, 0, 0, 0);
  return __builtin_amdgcn_mfma_f32_32x32x8bf16_1k(BITS(s4, a1), BITS(s4, b1), c, 0, 0, 0);
#endif
}

extern "C" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(256, 256)))
void attention(const __bf16 *Q, const __bf16 *K, const __bf16 *V, float *O, int keys, float scale) {
  __attribute__((shared, aligned(16))) static __bf16 lds[2 * KEYS * (D + 8)];
  __bf16 *k_tile = lds, *v_tile = lds + KEYS * (D + 8);
  unsigned t = __builtin_amdgcn_workitem_id_x(), lane = t & 63, half = lane >> 5, column = lane & 31;
  unsigned row = __builtin_amdgcn_workgroup_id_x() * 128 + __builtin_amdgcn_readfirstlane(t >> 6) * 32 + column;
  __amdgpu_buffer_rsrc_t q_rows = __builtin_amdgcn_make_buffer_rsrc((void *)Q, 0, 0x7fffffff, 0x00027000);
  u4 q[4];
  for (int step = 0; step < 4; step++)  // A and B take K in the same order, whichever it is
    q[step] = __builtin_amdgcn_raw_buffer_load_b128(q_rows, row * D * 2 + step * 32 + half * 16, 0, 0);
  f16v o[2] = {};
  float most = -__builtin_inff(), sum = 0;
  for (int first = 0; first < keys; first += KEYS) {
    unsigned from = t >> 3, at = (t & 7) * 8;  // 32 rows of 8 chunks
    u4 k_chunk = *(const u4 *)(K + (first + from) * D + at), v_chunk = *(const u4 *)(V + (first + from) * D + at);
    __builtin_amdgcn_s_barrier();
    *(u4 *)(k_tile + from * (D + 8) + at) = k_chunk;
    *(u4 *)(v_tile + from * (D + 8) + at) = v_chunk;
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
    __builtin_amdgcn_s_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
    f16v s = {};
    __builtin_amdgcn_s_setprio(1);
    for (int step = 0; step < 4; step++)
      s = product(*(const u4 *)(k_tile + column * (D + 8) + step * 16 + half * 8), q[step], s);
    __builtin_amdgcn_s_setprio(0);
    float top = most;
    for (int i = 0; i < 16; i++) top = __builtin_fmaxf(top, s[i] *= scale);
    top = __builtin_fmaxf(top, across(top));
    float shrink = __builtin_amdgcn_exp2f(most - top), part = 0;
    for (int i = 0; i < 16; i++) part += s[i] = __builtin_amdgcn_exp2f(s[i] - top);
    sum = sum * shrink + part + across(part);
    most = top;
    for (int i = 0; i < 16; i++) o[0][i] *= shrink, o[1][i] *= shrink;
    __builtin_amdgcn_sched_barrier(0);
    for (int block = 0; block < 2; block++) {  // 16 keys each: s[8 * block ...] holds 0-3 and 8-11, or 4-7 and 12-15
      u4 p;
      for (int i = 0; i < 4; i++) p[i] = pack(s[8 * block + 2 * i], s[8 * block + 2 * i + 1]);
      unsigned key0 = 16 * block + half * 4, key1 = key0 + 8;
#ifdef __gfx950__
      for (int i = 0; i < 2; i++) {
        auto turned = __builtin_amdgcn_permlane32_swap(p[i], p[i + 2], false, false);
        p[i] = turned[0], p[i + 2] = turned[1];
      }
      key0 = 16 * block + half * 8, key1 = key0 + 4;
#endif
      for (int tile = 0; tile < 2; tile++) {
        b8 v;
        for (int i = 0; i < 4; i++) {
          v[i] = v_tile[(key0 + i) * (D + 8) + tile * 32 + column];
          v[i + 4] = v_tile[(key1 + i) * (D + 8) + tile * 32 + column];
        }
        o[tile] = product(BITS(u4, v), p, o[tile]);
      }
    }
  }
  float whole = 1.0f / sum;
  for (int tile = 0; tile < 2; tile++)
    for (int i = 0; i < 16; i++)
      O[row * D + tile * 32 + (i & 3) + 8 * (i >> 2) + 4 * half] = o[tile][i] * whole;
}
