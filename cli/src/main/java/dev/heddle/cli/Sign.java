package dev.heddle.cli;

/** What marks the points of a line. */
enum Sign {
  CIRCLE,
  SQUARE,
  TRIANGLE,
  DIAMOND,
  TRIANGLE_DOWN;

  private static final int CIRCLE_CORNERS = 16;
  private static final double RADIUS = 5;

  /** The corners of a polygon around a point: x and y in turn. */
  double[] around(double x, double y) {
    double[] corners =
        switch (this) {
          case CIRCLE -> circle();
          case SQUARE -> new double[] {-4, -4, 4, -4, 4, 4, -4, 4};
          case TRIANGLE -> new double[] {0, -6, 6, 5, -6, 5};
          case DIAMOND -> new double[] {0, -6, 6, 0, 0, 6, -6, 0};
          case TRIANGLE_DOWN -> new double[] {0, 6, 6, -5, -6, -5};
        };
    for (int i = 0; i < corners.length; i += 2) {
      corners[i] += x;
      corners[i + 1] += y;
    }
    return corners;
  }

  private static double[] circle() {
    double[] corners = new double[2 * CIRCLE_CORNERS];
    for (int corner = 0; corner < CIRCLE_CORNERS; corner++) {
      double angle = 2 * Math.PI * corner / CIRCLE_CORNERS;
      corners[2 * corner] = RADIUS * Math.cos(angle);
      corners[2 * corner + 1] = RADIUS * Math.sin(angle);
    }
    return corners;
  }
}
