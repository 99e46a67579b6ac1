/** The A-shape pattern. Exports nothing: it is reached as a service. */
module dev.heddle.pattern.ashape {
  requires dev.heddle.api;
  requires static org.jspecify;
}
