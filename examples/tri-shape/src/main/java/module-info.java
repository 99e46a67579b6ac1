/** The Tri-shape pattern. Exports nothing: it is reached as a service. */
module com.example.trishape {
  requires dev.heddle.api;

  provides dev.heddle.api.SparsePattern with
      com.example.trishape.TriShapePattern;
}
