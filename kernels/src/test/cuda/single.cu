// One kernel, compiled for one architecture at a time: tests load it where it fits, where it does not, and damaged.
extern "C" __global__ void heddle_test_store(long long* target) { *target = 42; }
