// The first product of a mixture of experts, for gfx950 without a header: C[t] = A[token[t]] B^T for 64 tokens of one
// expert. A is bf16[tokens, K], B bf16[N, K], C f32[tokens, N]; K is a multiple of 128, a workgroup makes 64 x 64 of C.
//
// The rows of A lie anywhere in memory. buffer_load ... lds brings 16 bytes a lane from an address of each lane's own
// and puts them side by side into LDS: the gather costs nothing more than the loads. The swizzle is applied to which
// 16 bytes of a row a lane asks for. token < 0: no such token, the row reads as zeros and nothing is stored.

typedef unsigned u32;
typedef __bf16 b8 __attribute__((ext_vector_type(8)));
typedef float f4 __attribute__((ext_vector_type(4)));
#define DEVICE static __attribute__((device, always_inline)) inline
#define SHARED __attribute__((address_space(3)))
#define GLOBAL __attribute__((address_space(1)))
#define UNROLL _Pragma("unroll")

enum { TILE = 64, K_STEP = 64, ROW_BYTES = K_STEP * 2, TILE_BYTES = TILE * ROW_BYTES, RAW = 0x00027000 };

typedef char Stage[2][TILE_BYTES];  // A and B; two arrays, so that the compiler sees which one is filled
static __attribute__((shared, aligned(1024))) Stage even, odd;

struct Source {
  __amdgpu_buffer_rsrc_t a, b;
  u32 a_at[2], b_at[2];  // of the lane's 16 bytes in two loads of 8 rows a wave
};

DEVICE void fetch(Source &from, Stage &to, u32 wave) {
  UNROLL for (int part = 0; part < 2; part++) {
    const u32 place = part * TILE_BYTES / 2 + wave * 1024;
    __builtin_amdgcn_raw_ptr_buffer_load_lds(from.a, (SHARED void *)(to[0] + place), 16, from.a_at[part], 0, 0, 0);
    __builtin_amdgcn_raw_ptr_buffer_load_lds(from.b, (SHARED void *)(to[1] + place), 16, from.b_at[part], 0, 0, 0);
    from.a_at[part] += ROW_BYTES;
    from.b_at[part] += ROW_BYTES;
  }
}

DEVICE void arrived() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup", "local");
  __builtin_amdgcn_s_waitcnt(0x0f70);  // vmcnt(0)
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup", "local");
}

// a wave multiplies 16 rows of A with all 64 of B
DEVICE void multiply(f4 (&c)[4], const Stage &tile, u32 wave, u32 lane) {
  const SHARED char *a = (const SHARED char *)tile[0] + wave * 16 * ROW_BYTES, *b = (const SHARED char *)tile[1];
  const u32 row = lane & 15, at = row * ROW_BYTES;
  UNROLL for (int step = 0; step < K_STEP / 32; step++) {
    const u32 chunk = ((step * 4 + (lane >> 4)) ^ (row & 7)) * 16;
    const b8 left = *(const SHARED b8 *)(a + at + chunk);
    UNROLL for (int block = 0; block < 4; block++) {
      const b8 right = *(const SHARED b8 *)(b + block * 16 * ROW_BYTES + at + chunk);
      c[block] = __builtin_amdgcn_mfma_f32_16x16x32_bf16(left, right, c[block], 0, 0, 0);
    }
  }
}

extern "C" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(256, 256)))
void moe_gather(const __bf16 *A, const __bf16 *B, const GLOBAL int *token, GLOBAL float *C, u32 tokens, u32 N, u32 K) {
  const u32 thread = __builtin_amdgcn_workitem_id_x(), lane = thread & 63;
  const u32 wave = __builtin_amdgcn_readfirstlane(thread >> 6);
  const u32 first = __builtin_amdgcn_workgroup_id_y() * TILE, column = __builtin_amdgcn_workgroup_id_x() * TILE;
  const u32 row_bytes = K * 2;
  Source from = {__builtin_amdgcn_make_buffer_rsrc((void *)A, 0, tokens * row_bytes, RAW),
                 __builtin_amdgcn_make_buffer_rsrc((void *)B, 0, N * row_bytes, RAW), {}, {}};
  UNROLL for (int part = 0; part < 2; part++) {
    const u32 row = part * 32 + wave * 8 + (lane >> 3), chunk = ((lane & 7) ^ (row & 7)) * 16;
    const int its = token[first + row];
    from.a_at[part] = its < 0 ? 0x80000000u : its * row_bytes + chunk;  // out of range reads as 0
    from.b_at[part] = (column + row) * row_bytes + chunk;
  }
  f4 c[4] = {};
  fetch(from, even, wave);
  for (u32 k = 0; k < K; k += 2 * K_STEP) {
    arrived();
    fetch(from, odd, wave);
    multiply(c, even, wave, lane);
    arrived();
    if (k + 2 * K_STEP < K) fetch(from, even, wave);
    multiply(c, odd, wave, lane);
  }
  UNROLL for (int i = 0; i < 4; i++) {
    const u32 row = first + wave * 16 + (lane >> 4) * 4 + i;
    if (token[row] < 0) continue;
    UNROLL for (int block = 0; block < 4; block++) C[row * N + column + block * 16 + (lane & 15)] = c[block][i];
  }
}
