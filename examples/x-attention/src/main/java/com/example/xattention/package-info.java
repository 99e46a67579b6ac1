/** The XAttention pattern: provider, index builder, and what the GPU is told. */
package com.example.xattention;
