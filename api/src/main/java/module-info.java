/**
 * The pattern SPI and its value types.
 *
 * <p>A pattern author needs this module and nothing else. It knows no backend, opens no file and
 * starts no thread.
 */
module dev.heddle.api {
  // Annotations only: absent at run time unless the application brings them.
  requires static org.jspecify;

  exports dev.heddle.api;
}
