"""Loads kernel images through the CUDA driver and launches kernels on PyTorch's stream."""

import ctypes
import os

import torch

MAX_DYNAMIC_SHARED_BYTES = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES

# Whether to wait after every launch, so that nothing is freed under a kernel that a tool makes slow.
SYNCHRONOUS = "HEDDLE_SYNCHRONOUS" in os.environ

_driver = ctypes.CDLL("libcuda.so.1")


def _check(status, what):
    if status != 0:
        text = ctypes.c_char_p()
        _driver.cuGetErrorName(status, ctypes.byref(text))
        raise RuntimeError(f"{what}: {text.value.decode()}")


def tensor_map(tensor):
    """The tensor map (128 bytes) of 16-bit [head][token][dim] in boxes of 64 tokens x 64 dims, swizzled."""
    type_of = {torch.float16: 6, torch.bfloat16: 9}  # CU_TENSOR_MAP_DATA_TYPE_*
    heads, tokens, dim = tensor.shape
    token_stride, head_stride = (max(16, 2 * tensor.stride(i)) for i in (1, 0))
    memory = (ctypes.c_uint8 * 192)()
    address = (ctypes.addressof(memory) + 63) // 64 * 64
    status = _driver.cuTensorMapEncodeTiled(
        ctypes.c_void_p(address), type_of[tensor.dtype], 3, ctypes.c_void_p(tensor.data_ptr()),
        (ctypes.c_uint64 * 3)(dim, tokens, heads), (ctypes.c_uint64 * 2)(token_stride, head_stride),
        (ctypes.c_uint32 * 3)(64, 64, 1), (ctypes.c_uint32 * 3)(1, 1, 1),
        0, 3, 2, 0,  # not interleaved, swizzle of 128 bytes, 128-byte sectors for L2, zeros outside
    )  # fmt: skip
    _check(status, f"tensor map of {tuple(tensor.shape)} strides {tensor.stride()}")
    return ctypes.string_at(address, 128)


def zero(tensor):
    """Queues zeros by the driver, which initcheck sees: it watches no kernels of PyTorch's."""
    stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
    bytes_ = ctypes.c_size_t(tensor.numel() * tensor.element_size())
    _check(_driver.cuMemsetD8Async(ctypes.c_uint64(tensor.data_ptr()), ctypes.c_ubyte(0), bytes_, stream), "zeros")


class Image:
    """One fat binary."""

    def __init__(self, path):
        torch.cuda.init()
        torch.zeros(1, device="cuda")  # makes the primary context current
        with open(path, "rb") as file:
            self._bytes = file.read()
        self._module = ctypes.c_void_p()
        _check(_driver.cuModuleLoadData(ctypes.byref(self._module), self._bytes), path)
        self._kernels = {}

    def _kernel(self, name, shared_bytes):
        if name not in self._kernels:
            kernel = ctypes.c_void_p()
            _check(_driver.cuModuleGetFunction(ctypes.byref(kernel), self._module, name.encode()), name)
            self._kernels[name] = kernel
        kernel = self._kernels[name]
        if shared_bytes > 48 * 1024:
            _check(_driver.cuFuncSetAttribute(kernel, MAX_DYNAMIC_SHARED_BYTES, shared_bytes), name)
        return kernel

    def launch(self, name, grid, block, shared_bytes, params):
        """Launches with `params` (bytes) as the only argument."""
        kernel = self._kernel(name, shared_bytes)
        memory = ctypes.create_string_buffer(params, len(params))
        arguments = (ctypes.c_void_p * 1)(ctypes.cast(memory, ctypes.c_void_p))
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
        status = _driver.cuLaunchKernel(kernel, *grid, *block, shared_bytes, stream, arguments, None)
        _check(status, f"{name} grid {grid} block {block} shared {shared_bytes}")
        if SYNCHRONOUS:
            _check(_driver.cuCtxSynchronize(), f"running {name} grid {grid} block {block}")
