// Flash attention for gfx950, without a header: O = softmax(Q K^T scale) V for 128 rows of Q on 4 waves, head of 64.
// Q, K, V are bf16[rows, 64], O is f32[rows, 64]; `keys` is a multiple of 64.
//
//     S^T = K Q^T     a lane has one row of Q, and half of the 32 keys of a step: 16 scores
//     P^T = exp2(S^T scale' - most)            a run of 16 v_exp_f32 on each wave
//     O^T = V^T P^T   P comes from the registers in which S was made
//
// K and V go from global memory to LDS without passing through registers, 16 bytes a lane. What a wave loads lies
// side by side in LDS; so the swizzle that spreads a column over the banks is applied to the global addresses.
// The A operand of O^T is V's column, which ds_read_b64_tr_b16 reads: 16 lanes give the addresses of 4 rows of 16
// elements, and each gets a column. The order of the keys in the sum does not matter, if P and V have the same.

typedef unsigned u32;
typedef __bf16 b4 __attribute__((ext_vector_type(4)));
typedef __bf16 b8 __attribute__((ext_vector_type(8)));
typedef float f4 __attribute__((ext_vector_type(4)));
typedef float f16 __attribute__((ext_vector_type(16)));
typedef u32 u2 __attribute__((ext_vector_type(2)));
#define DEVICE static __attribute__((device, always_inline)) inline
#define SHARED __attribute__((address_space(3)))
#define GLOBAL __attribute__((address_space(1)))
#define UNROLL _Pragma("unroll")
#define BITS(to, x) __builtin_bit_cast(to, x)

enum { D = 64, KEYS = 32, ROW_BYTES = D * 2, TILE_BYTES = KEYS * ROW_BYTES, WAVES = 4 };

// Two stages of K and V. They are two arrays, and a trip of the loop is two tiles, so that the compiler sees that
// a load to the one needs no wait before a read of the other.
typedef char Stage[2][TILE_BYTES];  // K and V
static __attribute__((shared, aligned(1024))) Stage even, odd;

// Where 16-byte chunk c of a row lies in its 128 bytes. Two rows are as long as the banks. The 16 rows that a
// b128 read serves at once then lie in 16 places, and the 4 rows of a transposing read in 4.
DEVICE u32 spread(u32 row) { return (row >> 1 & 1) << 2 | (row >> 2 & 1) << 1 | (row >> 3 & 1); }

struct Matrix {  // K and V, and the lane's 16 bytes of the tile
  __amdgpu_buffer_rsrc_t k, v;
  u32 at;
};

DEVICE void fetch(Matrix &m, Stage &to, u32 wave) {
  __builtin_amdgcn_raw_ptr_buffer_load_lds(m.k, (SHARED void *)(to[0] + wave * 1024), 16, m.at, 0, 0, 0);
  __builtin_amdgcn_raw_ptr_buffer_load_lds(m.v, (SHARED void *)(to[1] + wave * 1024), 16, m.at, 0, 0, 0);
  m.at += TILE_BYTES;
}

// the same row's other half of the keys is in the other half of the wave
DEVICE float other_half(float x, u32 half) {
  auto both = __builtin_amdgcn_permlane32_swap(BITS(u32, x), BITS(u32, x), false, false);
  return BITS(float, half ? both[0] : both[1]);
}

struct Lane {  // places of a lane in a tile
  u32 half, low, k_at, k_spread, v_row, v_chunk;
};
struct Row {  // of Q, or half of it: what the online softmax knows of it
  b8 q[4];
  f16 o[2];
  float most, sum, scale;
};

DEVICE void step(Row &r, const Stage &tile, const Lane &l) {
  const SHARED char *k_tile = (const SHARED char *)tile[0], *v_tile = (const SHARED char *)tile[1];
  f16 s = {};
  UNROLL for (int step = 0; step < 4; step++) {
    const b8 k = *(const SHARED b8 *)(k_tile + l.k_at + ((2 * step + l.half) ^ l.k_spread) * 16);
    s = __builtin_amdgcn_mfma_f32_32x32x16_bf16(k, r.q[step], s, 0, 0, 0);
  }
  float peak = s[0];
  UNROLL for (int i = 1; i < 16; i++) peak = __builtin_fmaxf(peak, s[i]);
  peak = __builtin_fmaxf(peak, other_half(peak, l.half)) * r.scale;
  const float most = __builtin_fmaxf(r.most, peak), shrink = __builtin_amdgcn_exp2f(r.most - most);
  float part = 0;
  UNROLL for (int i = 0; i < 16; i++) {
    s[i] = __builtin_amdgcn_exp2f(s[i] * r.scale - most);
    part += s[i];
  }
  r.most = most;
  r.sum = r.sum * shrink + part;
  UNROLL for (int block = 0; block < 2; block++) r.o[block] *= shrink;
  UNROLL for (int step = 0; step < 2; step++) {  // 16 keys
    b8 p;
    UNROLL for (int i = 0; i < 8; i++) p[i] = (__bf16)s[8 * step + i];
    UNROLL for (int block = 0; block < 2; block++) {  // 32 columns of V
      b4 v[2];
      UNROLL for (int part = 0; part < 2; part++) {  // 4 keys, and the 4 that are 8 further
        const u32 key = 16 * step + 8 * part + l.v_row, c = (4 * block + l.v_chunk) ^ spread(key);
        v[part] = __builtin_amdgcn_ds_read_tr16_b64_v4bf16((SHARED b4 *)(v_tile + key * ROW_BYTES + c * 16 + l.low));
      }
      const b8 a = __builtin_shufflevector(v[0], v[1], 0, 1, 2, 3, 4, 5, 6, 7);
      r.o[block] = __builtin_amdgcn_mfma_f32_32x32x16_bf16(a, p, r.o[block], 0, 0, 0);
    }
  }
}

// the tile is in LDS, written by all waves; and the other stage has been read by all
DEVICE void arrived() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup", "local");  // what this wave read of LDS is in registers
  __builtin_amdgcn_s_waitcnt(0x0f70);                              // vmcnt(0)
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup", "local");
}

extern "C" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(256, 256)))
void attention(const GLOBAL __bf16 *Q, const __bf16 *K, const __bf16 *V, GLOBAL float *O, int keys, float scale) {
  const u32 thread = __builtin_amdgcn_workitem_id_x(), lane = thread & 63, half = lane >> 5, column = lane & 31;
  const u32 wave = __builtin_amdgcn_readfirstlane(thread >> 6);
  const u32 row = __builtin_amdgcn_workgroup_id_x() * WAVES * 32 + wave * 32 + column;

  Row r = {};
  UNROLL for (int step = 0; step < 4; step++) r.q[step] = *(const GLOBAL b8 *)(Q + row * D + step * 16 + half * 8);
  r.most = -__builtin_inff();
  r.scale = scale * 1.44269504f;  // for powers of two

  // a wave loads 8 rows of K and of V: lane -> row, and the chunk that belongs where the lane's 16 bytes go
  const u32 loaded = wave * 8 + (lane >> 3), chunk = (lane & 7) ^ spread(loaded);
  const u32 bytes = keys * ROW_BYTES, raw = 0x00027000;
  Matrix m = {__builtin_amdgcn_make_buffer_rsrc((void *)K, 0, bytes, raw),
              __builtin_amdgcn_make_buffer_rsrc((void *)V, 0, bytes, raw), loaded * ROW_BYTES + chunk * 16};
  const Lane l = {half,           (lane & 1) * 8,           column * ROW_BYTES,
                  spread(column), 4 * half + (lane >> 2 & 3), (lane >> 4 & 1) * 2 + (lane >> 1 & 1)};

  fetch(m, even, wave);
  for (int tile = 0; tile < keys / KEYS; tile += 2) {
    arrived();
    fetch(m, odd, wave);
    step(r, even, l);
    arrived();
    if (tile + 2 < keys / KEYS) fetch(m, even, wave);
    step(r, odd, l);
  }

  const float each = 1 / (r.sum + other_half(r.sum, half));
  UNROLL for (int block = 0; block < 2; block++)
    UNROLL for (int i = 0; i < 16; i += 4) {
      const f4 out = {r.o[block][i], r.o[block][i + 1], r.o[block][i + 2], r.o[block][i + 3]};
      *(GLOBAL f4 *)(O + row * D + block * 32 + 2 * i + 4 * half) = out * each;
    }
}
