# Made by tfcross from templates/link/tensorflow-core.podspec.j2.
# In the Podfile: pod 'tensorflow-core', :path => '<this folder>'
Pod::Spec.new do |spec|
  folder = __dir__
  spec.name = 'tensorflow-core'
  spec.version = '2.14.1'
  spec.summary = 'TensorFlow 2.14.1 core for IOS-arm64'
  spec.homepage = 'https://www.tensorflow.org'
  spec.license = 'Apache-2.0'
  spec.author = 'The TensorFlow Authors'
  spec.source = { :http => "file://#{folder}" }
  spec.platform = :ios
  spec.preserve_paths = 'include', 'lib'
  spec.user_target_xcconfig = {
    'SYSTEM_HEADER_SEARCH_PATHS' => "$(inherited) \"#{folder}/include\"",
    'GCC_PREPROCESSOR_DEFINITIONS' => '$(inherited) NDEBUG EIGEN_NEON_GEBP_NR=4',
    'CLANG_CXX_LANGUAGE_STANDARD' => 'c++17',
    'OTHER_CPLUSPLUSFLAGS' => '$(inherited) ',
    # The core whole: without that the app builds and then says "No session factory registered".
    'OTHER_LDFLAGS' => "$(inherited) \"-Wl,-force_load,#{folder}/lib/libtensorflow-core.a\" \"#{folder}/lib/libprotobuf.a\" \"#{folder}/lib/libdouble-conversion.a\" -Wl,-dead_strip -lc++",
  }
end
