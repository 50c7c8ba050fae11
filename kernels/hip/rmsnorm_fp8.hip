// RMS norm of rows of 4096 bf16, quantised to fp8 with a scale for each row, without a header:
// y = x / sqrt(mean(x^2) + 1e-5) * w, S = max |y| / 448, Q = y / S. A row on 4 waves, 16 elements a lane.
//
// Across the lanes of a wave go v_permlane32_swap and v_permlane16_swap, then DPP within 16 lanes; across the waves
// a float of each in LDS. The arithmetic is v_pk_mul_f32 and v_pk_fma_f32, the result v_cvt_pk_fp8_f32 (OCP e4m3).

typedef unsigned u32;
typedef __bf16 b8 __attribute__((ext_vector_type(8)));
typedef float f2 __attribute__((ext_vector_type(2)));
typedef float f4 __attribute__((ext_vector_type(4)));
typedef u32 u2 __attribute__((ext_vector_type(2)));
#define DEVICE static __attribute__((device, always_inline)) inline
#define GLOBAL __attribute__((address_space(1)))
#define UNROLL _Pragma("unroll")
#define BITS(to, x) __builtin_bit_cast(to, x)

enum { COLUMNS = 4096, WAVES = 4, PAIRS = COLUMNS / 256 / 2 };

static __attribute__((shared, aligned(16))) float of_wave[2][WAVES];  // sum of squares; largest value

struct Sum { DEVICE float of(float a, float b) { return a + b; } };
struct Most { DEVICE float of(float a, float b) { return __builtin_fmaxf(a, b); } };
#define OTHER(control) BITS(float, __builtin_amdgcn_update_dpp(0, BITS(int, x), control, 0xf, 0xf, false))

template <class Two> DEVICE float over_wave(float x) {
  auto halves = __builtin_amdgcn_permlane32_swap(BITS(u32, x), BITS(u32, x), false, false);
  x = Two::of(BITS(float, halves[0]), BITS(float, halves[1]));
  auto rows = __builtin_amdgcn_permlane16_swap(BITS(u32, x), BITS(u32, x), false, false);
  x = Two::of(BITS(float, rows[0]), BITS(float, rows[1]));
  x = Two::of(x, OTHER(0x128));  // row_ror:8: the lane 8 further round the row of 16
  x = Two::of(x, OTHER(0x124));
  x = Two::of(x, OTHER(0x122));
  return Two::of(x, OTHER(0x121));
}

template <class Two> DEVICE float over_row(float x, u32 which) {
  x = over_wave<Two>(x);
  of_wave[which][__builtin_amdgcn_workitem_id_x() >> 6] = x;  // all lanes write the same
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup", "local");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup", "local");
  const f4 all = *(const f4 *)of_wave[which];
  return Two::of(Two::of(all.x, all.y), Two::of(all.z, all.w));
}

extern "C" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(256, 256)))
void rmsnorm_fp8(const GLOBAL __bf16 *X, const GLOBAL __bf16 *W, GLOBAL unsigned char *Q, GLOBAL float *S) {
  const u32 thread = __builtin_amdgcn_workitem_id_x(), row = __builtin_amdgcn_workgroup_id_x(), column = thread * 16;
  f2 y[PAIRS], w[PAIRS];
  UNROLL for (int part = 0; part < 2; part++) {
    const b8 x8 = *(const GLOBAL b8 *)(X + row * COLUMNS + column + part * 8);
    const b8 w8 = *(const GLOBAL b8 *)(W + column + part * 8);
    UNROLL for (int i = 0; i < 4; i++) {
      y[part * 4 + i] = {(float)x8[2 * i], (float)x8[2 * i + 1]};
      w[part * 4 + i] = {(float)w8[2 * i], (float)w8[2 * i + 1]};
    }
  }
  f2 squares = {0, 0};
  UNROLL for (int i = 0; i < PAIRS; i++) squares = __builtin_elementwise_fma(y[i], y[i], squares);
  const float mean = over_row<Sum>(squares.x + squares.y, 0) * (1.0f / COLUMNS);
  const float norm = __builtin_amdgcn_rsqf(mean + 1e-5f);
  float most = 0;
  UNROLL for (int i = 0; i < PAIRS; i++) {
    y[i] *= w[i] * norm;
    most = __builtin_fmaxf(most, __builtin_fmaxf(__builtin_fabsf(y[i].x), __builtin_fabsf(y[i].y)));
  }
  most = over_row<Most>(most, 1);
  const float each = 448 / most;
  int out[4] = {};
  UNROLL for (int i = 0; i < 4; i++) {
    const f2 a = y[2 * i] * each, b = y[2 * i + 1] * each;
    out[i] = __builtin_amdgcn_cvt_pk_fp8_f32(a.x, a.y, out[i], false);
    out[i] = __builtin_amdgcn_cvt_pk_fp8_f32(b.x, b.y, out[i], true);
  }
  typedef int i4 __attribute__((ext_vector_type(4)));
  *(GLOBAL i4 *)(Q + row * COLUMNS + column) = (i4){out[0], out[1], out[2], out[3]};
  if (thread == 0) S[row] = most * (1.0f / 448);
}
