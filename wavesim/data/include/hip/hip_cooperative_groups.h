// Groups of work-items inside of a workgroup: all of it, and tiles of a wave. Groups of several workgroups can
// be asked for their places, not for a barrier: one compute unit is simulated.
#pragma once

#include "hip_runtime.h"

namespace cooperative_groups {

WAVESIM_DEVICE unsigned int wavesim_rank() {
  return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
}
WAVESIM_DEVICE unsigned int wavesim_size() { return blockDim.x * blockDim.y * blockDim.z; }

class thread_group {
 public:
  WAVESIM_MEMBER thread_group(bool is_block, unsigned int size) : is_block_(is_block), size_(size) {}
  __attribute__((device)) unsigned int size() const { return size_; }
  __attribute__((device)) unsigned int num_threads() const { return size_; }
  __attribute__((device)) unsigned int thread_rank() const { return wavesim_rank() % size_; }
  __attribute__((device)) bool is_valid() const { return true; }
  __attribute__((device)) void sync() const {
    if (is_block_)
      __syncthreads();
    else
      __syncwarp();
  }

 private:
  bool is_block_;
  unsigned int size_;
};

class thread_block : public thread_group {
 public:
  __attribute__((device)) thread_block() : thread_group(true, wavesim_size()) {}
  __attribute__((device)) static void sync() { __syncthreads(); }
  __attribute__((device)) static dim3 thread_index() { return threadIdx; }
  __attribute__((device)) static dim3 group_index() { return blockIdx; }
  __attribute__((device)) static dim3 group_dim() { return blockDim; }
};

// `width` neighbouring lanes of a wave, a power of two
template <unsigned int width, typename Parent = thread_block>
class thread_block_tile : public thread_group {
 public:
  __attribute__((device)) thread_block_tile() : thread_group(false, width) {}
  __attribute__((device)) static void sync() { __syncwarp(); }
  __attribute__((device)) unsigned int meta_group_rank() const { return wavesim_rank() / width; }
  __attribute__((device)) unsigned int meta_group_size() const { return (wavesim_size() + width - 1) / width; }
  template <typename T>
  __attribute__((device)) T shfl(T value, int from) const {
    return __shfl(value, from, width);
  }
  template <typename T>
  __attribute__((device)) T shfl_down(T value, unsigned int by) const {
    return __shfl_down(value, by, width);
  }
  template <typename T>
  __attribute__((device)) T shfl_up(T value, unsigned int by) const {
    return __shfl_up(value, by, width);
  }
  template <typename T>
  __attribute__((device)) T shfl_xor(T value, unsigned int mask) const {
    return __shfl_xor(value, (int)mask, width);
  }
  __attribute__((device)) unsigned long long ballot(int predicate) const {
    unsigned long long own = width < 64 ? (1ull << (width & 63)) - 1 : ~0ull;
    return __ballot(predicate) >> (__lane_id() & ~(width - 1)) & own;
  }
  __attribute__((device)) int any(int predicate) const { return ballot(predicate) != 0; }
  __attribute__((device)) int all(int predicate) const { return ballot(!predicate) == 0; }
};

class grid_group {
 public:
  __attribute__((device)) unsigned long long size() const {
    return (unsigned long long)gridDim.x * gridDim.y * gridDim.z * wavesim_size();
  }
  __attribute__((device)) unsigned long long thread_rank() const {
    unsigned long long block = ((unsigned long long)blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    return block * wavesim_size() + wavesim_rank();
  }
};

WAVESIM_DEVICE thread_block this_thread_block() { return thread_block(); }
WAVESIM_DEVICE grid_group this_grid() { return grid_group(); }
template <unsigned int width, typename Parent>
WAVESIM_DEVICE thread_block_tile<width, Parent> tiled_partition(const Parent &) {
  return thread_block_tile<width, Parent>();
}
WAVESIM_DEVICE thread_group tiled_partition(const thread_group &, unsigned int width) {
  return thread_group(false, width);
}
template <typename Group>
WAVESIM_DEVICE void sync(const Group &group) {
  group.sync();
}

}  // namespace cooperative_groups
