/** XAttention: key blocks chosen by antidiagonal sums of scores, as a plug-in with CUDA text. */
module com.example.xattention {
  requires dev.heddle.api;

  provides dev.heddle.api.SparsePattern with
      com.example.xattention.XAttentionPattern;
}
