package android.os;

/** What TensorFlow's classes are compiled against; on a device it is Android's own. */
public class Build {
  public static class VERSION {
    public static final int SDK_INT = Integer.parseInt("0");
  }
}
