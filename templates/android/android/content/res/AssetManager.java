package android.content.res;

/** What TensorFlow's classes are compiled against; on a device it is Android's own. */
public final class AssetManager {
  public native java.io.InputStream open(String fileName) throws java.io.IOException;
}
