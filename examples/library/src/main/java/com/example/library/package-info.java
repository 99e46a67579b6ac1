/** Attention of one layer by heads of different patterns, on host memory and on device memory. */
package com.example.library;
