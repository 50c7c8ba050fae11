// C = A B^T in bf16: 128 x 128 by 4 waves, K 32 at a time straight into LDS through buffer descriptors, two buffers,
// counted waits as text with clobbers, priorities and scheduling barriers. Header-free; a test of wavesim.
typedef float f16v __attribute__((ext_vector_type(16)));
typedef __bf16 b8 __attribute__((ext_vector_type(8)));
typedef short s4 __attribute__((ext_vector_type(4)));
typedef unsigned u2 __attribute__((ext_vector_type(2)));
typedef unsigned u4 __attribute__((ext_vector_type(4)));
typedef __attribute__((address_space(3))) void *to_lds;
#define DEVICE __attribute__((device)) static inline
#define BITS(to, x) __builtin_bit_cast(to, x)
enum { TILE = 128, STEP = 32 };
#ifdef __gfx950__
enum { WIDTH = 16 };
#else
enum { WIDTH = 4 };
#endif

// a tile of 128 rows of 64 bytes, as it lies in LDS: WIDTH bytes of each lane one behind the other
DEVICE void fetch(__amdgpu_buffer_rsrc_t rows, unsigned first_row, int K, int k, __bf16 *tile, unsigned wave, unsigned lane) {
  enum { LANES = 64 / WIDTH, ROWS = 64 / LANES };
#pragma unroll
  for (int part = 0; part < 32 / ROWS; part++) {
    unsigned row = wave * 32 + part * ROWS + lane / LANES;
    unsigned offset = ((first_row + row) * K + k) * 2 + lane % LANES * WIDTH;
    __builtin_amdgcn_raw_ptr_buffer_load_lds(rows, (to_lds)(tile + (wave * 32 + part * ROWS) * STEP), WIDTH, offset, 0, 0, 0);
  }
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
void gemm(const __bf16 *A, const __bf16 *B, __bf16 *C, int N, int K) {
  __attribute__((shared, aligned(16))) static __bf16 a[2][TILE * STEP], b[2][TILE * STEP];
  unsigned t = __builtin_amdgcn_workitem_id_x(), lane = t & 63, wave = __builtin_amdgcn_readfirstlane(t >> 6);
  unsigned top = __builtin_amdgcn_workgroup_id_y() * TILE, left = __builtin_amdgcn_workgroup_id_x() * TILE;
  unsigned column = lane & 31, half = lane >> 5, wave_row = wave / 2 * 64, wave_column = wave % 2 * 64;
  __amdgpu_buffer_rsrc_t a_rows = __builtin_amdgcn_make_buffer_rsrc((void *)A, 0, 0x7fffffff, 0x00027000);
  __amdgpu_buffer_rsrc_t b_rows = __builtin_amdgcn_make_buffer_rsrc((void *)B, 0, 0x7fffffff, 0x00027000);
  f16v c[2][2] = {};
  fetch(a_rows, top, K, 0, a[0], wave, lane);
  fetch(b_rows, left, K, 0, b[0], wave, lane);
  for (int k = 0; k < K; k += STEP) {
    int now = k / STEP & 1;
    asm volatile("s_waitcnt vmcnt(0)" ::: "memory");
    __builtin_amdgcn_s_barrier();
    if (k + STEP < K) {
      fetch(a_rows, top, K, k + STEP, a[1 - now], wave, lane);
      fetch(b_rows, left, K, k + STEP, b[1 - now], wave, lane);
    }
    u4 left_part[2][2], right_part[2][2];
    for (int i = 0; i < 2; i++)
      for (int step = 0; step < 2; step++) {
        left_part[i][step] = *(const u4 *)(a[now] + (wave_row + i * 32 + column) * STEP + step * 16 + half * 8);
        right_part[i][step] = *(const u4 *)(b[now] + (wave_column + i * 32 + column) * STEP + step * 16 + half * 8);
      }
    asm volatile("s_waitcnt lgkmcnt(0)" ::: "memory");
    __builtin_amdgcn_sched_barrier(0);
    __builtin_amdgcn_s_setprio(1);
    for (int step = 0; step < 2; step++)
      for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) c[i][j] = product(left_part[i][step], right_part[j][step], c[i][j]);
    __builtin_amdgcn_s_setprio(0);
    __builtin_amdgcn_sched_group_barrier(0x008, 8, 0);
  }
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++)
      for (int e = 0; e < 16; e++)
        C[(top + wave_row + i * 32 + (e & 3) + 8 * (e >> 2) + 4 * half) * N + left + wave_column + j * 32 + column] = (__bf16)c[i][j][e];
}
