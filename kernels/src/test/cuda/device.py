"""Loads kernel images through the CUDA driver and launches kernels on PyTorch's stream."""

import ctypes

import torch

MAX_DYNAMIC_SHARED_BYTES = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES

_driver = ctypes.CDLL("libcuda.so.1")


def _check(status, what):
    if status != 0:
        text = ctypes.c_char_p()
        _driver.cuGetErrorName(status, ctypes.byref(text))
        raise RuntimeError(f"{what}: {text.value.decode()}")


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
