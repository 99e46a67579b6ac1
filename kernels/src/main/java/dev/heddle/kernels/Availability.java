package dev.heddle.kernels;

/** Whether a backend can run on this machine. */
public sealed interface Availability {
  /**
   * It can.
   *
   * @param detail what it will run on, such as {@code "512-bit vectors"}
   */
  record Available(String detail) implements Availability {}

  /**
   * It cannot.
   *
   * @param reason what is missing
   * @param remedy what the user can do about it
   */
  record Refused(String reason, String remedy) implements Availability {}
}
