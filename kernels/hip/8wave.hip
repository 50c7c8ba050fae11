// C = A * B^T on 8 waves: the half-split, in HIP without a header. A is bf16[M,K], B bf16[N,K], C f32[M,N].
//
// A workgroup of 8 waves computes a 128x128 tile of C, 64 columns of A and B ("a K step") at a time. Wave w
// owns the 32 rows of strip w/2, and of the columns two strips of 32: w%2 and w%2 + 2. Two waves share a
// SIMD, and its matrix pipe can serve only one: while it multiplies for the one, the other fetches.
//
//     tile t+2   global memory -> registers   on its way for a whole K step
//     tile t+1   LDS -> "next" fragments      while the MFMAs below run
//     tile t     "now" fragments -> MFMA
//
// LDS holds two tiles of each matrix. A step reads one stage while it fills the other, so one barrier per step
// orders both: what a wave wrote is there for all (read after write), and what it read may be overwritten
// (write after read). The two sets of fragments change roles every step; a loop trip is two steps, so that
// this costs names and no copies.
//
// The LDS accesses are ordinary C++: the compiler knows which wait each of them needs. Only the order of the
// phases is fixed by hand (PHASE), because the compiler cannot know that another wave fills the gaps.
//
// K must be a multiple of 128 and at least 256, M and N multiples of 128.

typedef unsigned int u32;
typedef unsigned long u64;
typedef short bf16x4 __attribute__((ext_vector_type(4)));
typedef __bf16 bf16x8 __attribute__((ext_vector_type(8)));
typedef float f32x4 __attribute__((ext_vector_type(4)));
typedef int chunk __attribute__((ext_vector_type(4)));  // 16 bytes: 8 bf16

#define DEVICE static __attribute__((device, always_inline)) inline
#define GLOBAL __attribute__((address_space(1)))
#define SHARED __attribute__((address_space(3)))
#define UNROLL _Pragma("unroll")
#ifndef PHASE  // -D 'PHASE()=' leaves the order of the phases to the compiler
#define PHASE() __builtin_amdgcn_sched_barrier(0)
#endif

enum {
  TILE = 128,                    // rows and columns of C per workgroup
  K_STEP = 64,                   // columns of A and B per step
  ROW_BYTES = K_STEP * 2,        // one row of a tile
  TILE_BYTES = TILE * ROW_BYTES, // 16 KiB
  THREADS = 512,
  STRIP = 32,                    // rows or columns that a wave takes as one
};

static __attribute__((shared, aligned(1024))) char lds[2][2][TILE_BYTES];  // [stage][A or B]

// Where 16-byte chunk c of a row lies. Rows are 128 bytes long, as much as all the banks: unswizzled, one chunk
// of 8 rows would lie in the same banks. The row's last 3 bits, XORed in, spread them.
DEVICE u32 place(u32 row, u32 c) { return row * ROW_BYTES + ((c ^ row) & 7) * 16; }

// ---- global memory -> registers -> LDS: each thread moves 2 chunks of A and 2 of B, 64 rows apart
struct Moved { chunk a[2], b[2]; };

struct Mover {
  const GLOBAL char *a, *b;  // the thread's first chunk in tile 0
  u32 half;                  // bytes from row r to row r + 64
  u32 to;                    // where it goes in LDS
};

DEVICE void fetch(Moved &m, const Mover &from, u32 tile) {
  const u64 at = (u64)tile * ROW_BYTES;
  m.a[0] = *(const GLOBAL chunk *)(from.a + at);
  m.a[1] = *(const GLOBAL chunk *)(from.a + at + from.half);
  m.b[0] = *(const GLOBAL chunk *)(from.b + at);
  m.b[1] = *(const GLOBAL chunk *)(from.b + at + from.half);
}

DEVICE void put(const Moved &m, const Mover &mover, u32 stage) {
  SHARED char *a = (SHARED char *)lds[stage][0] + mover.to, *b = (SHARED char *)lds[stage][1] + mover.to;
  *(SHARED chunk *)a = m.a[0];
  *(SHARED chunk *)(a + TILE_BYTES / 2) = m.a[1];
  *(SHARED chunk *)b = m.b[0];
  *(SHARED chunk *)(b + TILE_BYTES / 2) = m.b[1];
}

// ---- LDS -> fragments: 16 rows of 32 columns are 8 bf16 per lane
// Lane l takes row l%16 and chunk l/16. The matrix instructions sum over columns in any order, if only it is the
// same in A and B; so the same 16 bytes serve one 16x16x32 or two 16x16x16.
struct Strip { chunk part[2][2]; };  // [16-row block][32-column block]
struct Fragments { Strip a, b[2]; };

DEVICE void get(Strip &s, const SHARED char *tile, u32 strip, u32 lane) {
  UNROLL for (u32 i = 0; i < 2; i++)
    UNROLL for (u32 k = 0; k < 2; k++)
      s.part[i][k] = *(const SHARED chunk *)(tile + place(strip * STRIP + i * 16 + lane % 16, k * 4 + lane / 16));
}

DEVICE void get(Fragments &f, u32 stage, u32 wave, u32 lane) {
  const SHARED char *a = (const SHARED char *)lds[stage][0], *b = (const SHARED char *)lds[stage][1];
  get(f.a, a, wave / 2, lane);
  get(f.b[0], b, wave % 2, lane);
  get(f.b[1], b, wave % 2 + 2, lane);
}

// ---- fragments -> accumulators
struct Sums { f32x4 block[2][2][2]; };  // [column strip][16-row block][16-column block]

DEVICE f32x4 multiply(chunk a, chunk b, f32x4 sum) {
#if defined(__gfx950__)
  return __builtin_amdgcn_mfma_f32_16x16x32_bf16(__builtin_bit_cast(bf16x8, a), __builtin_bit_cast(bf16x8, b), sum,
                                                 0, 0, 0);
#else
  struct Halves { bf16x4 low, high; };
  const Halves x = __builtin_bit_cast(Halves, a), y = __builtin_bit_cast(Halves, b);
  sum = __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(x.low, y.low, sum, 0, 0, 0);
  return __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(x.high, y.high, sum, 0, 0, 0);
#endif
}

DEVICE void compute(Sums &c, const Fragments &f) {
  UNROLL for (u32 k = 0; k < 2; k++)
    UNROLL for (u32 s = 0; s < 2; s++)
      UNROLL for (u32 i = 0; i < 2; i++)
        UNROLL for (u32 j = 0; j < 2; j++)
          c.block[s][i][j] = multiply(f.a.part[i][k], f.b[s].part[j][k], c.block[s][i][j]);
}

DEVICE void barrier() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}

// One K step. In: "now" holds tile t, LDS stage (t + 1) % 2 tile t + 1; "moved" tile t + 2 is on its way.
// The two waves of a SIMD cannot both use its matrix pipe: while one computes, the other one's reads come in.
DEVICE void step(Sums &c, const Fragments &now, Fragments &next, Moved &moved, const Mover &mover, u32 t, u32 tiles,
                 u32 stage, u32 wave, u32 lane) {
  get(next, stage ^ 1, wave, lane);                // tile t + 1
  PHASE();
  compute(c, now);                                 // tile t
  PHASE();
  put(moved, mover, stage);                        // tile t + 2, over tile t
  fetch(moved, mover, t + 3 < tiles ? t + 3 : t);  // the last steps fetch what nobody uses
  barrier();
}

extern "C" __attribute__((global, amdgpu_flat_work_group_size(THREADS, THREADS), amdgpu_waves_per_eu(2, 2)))
void half_split(const void *A, const void *B, float *C, u32 N, u32 K) {
  const u32 thread = __builtin_amdgcn_workitem_id_x(), lane = thread % 64;
  const u32 wave = __builtin_amdgcn_readfirstlane(thread / 64);  // the same in all lanes, so it can be scalar
  const u32 row = __builtin_amdgcn_workgroup_id_y() * TILE, column = __builtin_amdgcn_workgroup_id_x() * TILE;

  const u32 pitch = K * 2, tiles = K / K_STEP;
  const u32 my_row = thread / 8, my_chunk = thread % 8;
  Mover mover;
  mover.a = (const GLOBAL char *)A + (u64)row * pitch + my_row * pitch + my_chunk * 16;
  mover.b = (const GLOBAL char *)B + (u64)column * pitch + my_row * pitch + my_chunk * 16;
  mover.half = 64 * pitch;
  mover.to = place(my_row, my_chunk);

  Sums c = {};
  Fragments even, odd;
  Moved moved;
  fetch(moved, mover, 0);
  put(moved, mover, 0);
  fetch(moved, mover, 1);
  put(moved, mover, 1);
  fetch(moved, mover, 2);
  barrier();
  get(even, 0, wave, lane);
  barrier();  // stage 0 may be overwritten
  // No for loop: the branch around it would be a place for the compiler to move the reads above to, out of the
  // barrier's protection. clang 19 and 22 do so; `wavesim check` called it a race.
  u32 t = 0;
#pragma unroll 1
  do {
    step(c, even, odd, moved, mover, t, tiles, 0, wave, lane);
    step(c, odd, even, moved, mover, t + 1, tiles, 1, wave, lane);
    t += 2;
  } while (t < tiles);

  // Lane l holds rows 4 * (l/16) .. + 3 of column l%16 of each 16x16 block.
  UNROLL for (u32 s = 0; s < 2; s++)
    UNROLL for (u32 i = 0; i < 2; i++)
      UNROLL for (u32 j = 0; j < 2; j++)
        UNROLL for (u32 q = 0; q < 4; q++) {
          const u32 at_row = row + wave / 2 * STRIP + i * 16 + lane / 16 * 4 + q;
          const u32 at_column = column + (wave % 2 + s * 2) * STRIP + j * 16 + lane % 16;
          ((GLOBAL float *)C)[(u64)at_row * N + at_column] = c.block[s][i][j][q];
        }
}
