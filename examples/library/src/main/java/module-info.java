/** A program that uses Heddle as a library. */
module com.example.library {
  requires dev.heddle.runtime;
}
