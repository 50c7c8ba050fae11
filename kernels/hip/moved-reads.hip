// A barrier in the source that does not protect in the machine code.
//
// Each thread reads its neighbour's element of LDS, then a barrier, then the elements are overwritten. The value
// read is needed only inside the loop. The compiler moves the read to where it is needed: behind the branch that
// skips the loop, and so behind the barrier.

typedef float __attribute__((address_space(3))) shared_float;
static __attribute__((shared)) float lds[512];

static __attribute__((device, always_inline)) inline void barrier() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}

extern "C" __attribute__((global, amdgpu_flat_work_group_size(512, 512)))
void moved_reads(const float *in, float *out, int n) {
  const int t = __builtin_amdgcn_workitem_id_x();
  shared_float *mine = (shared_float *)lds + t;
  *mine = in[t];
  barrier();
  float x = *((shared_float *)lds + (t ^ 64));  // another wave's element
  barrier();                                    // from here on it may be overwritten
  float sum = 0;
  for (int i = 0; i < n; i++) {
    sum += x * i;
    *mine = sum;
    barrier();
    x += *((shared_float *)lds + (t ^ 128));
    barrier();
  }
  out[t] = sum;
}
