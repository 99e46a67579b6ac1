package dev.heddle.kernels.cuda;

/**
 * A caller's stream, by its handle. Work runs on a lane of ours between two waits: the lane for
 * what the caller queued before, the caller's stream for what the lane queued.
 */
record ForeignStream(DriverLibrary driver, Lane lane, long handle) {
  void letLaneWait() {
    long event = lane.startEvent().handle();
    Driver.check(driver.recordEvent(event, handle), "marking the caller's stream");
    Driver.check(
        driver.waitForEvent(lane.stream().handle(), event), "waiting for the caller's stream");
  }

  void waitForLane() {
    long event = lane.markEnd().handle();
    Driver.check(driver.waitForEvent(handle, event), "letting the caller's stream wait");
  }
}
