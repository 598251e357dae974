# Made by tfcross from templates/link/config.cmake.j2.
#   find_package(tensorflow-core CONFIG REQUIRED)     # -Dtensorflow-core_DIR=<this folder>
#   target_link_libraries(app PRIVATE tensorflow::core)
if(CMAKE_VERSION VERSION_LESS 3.13)
  set(tensorflow-core_FOUND FALSE)
  set(tensorflow-core_NOT_FOUND_MESSAGE "CMake 3.13 or later is needed.")
  return()
endif()
if(TARGET tensorflow::core)
  return()
endif()
get_filename_component(_tensorflow "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)

# The dependencies, last first: each comes with all that must stand behind it.
set(_tensorflow_behind c++)
foreach(_tensorflow_name double-conversion protobuf)
  add_library(tensorflow::${_tensorflow_name} STATIC IMPORTED)
  set_target_properties(tensorflow::${_tensorflow_name} PROPERTIES
    IMPORTED_LOCATION "${_tensorflow}/lib/lib${_tensorflow_name}.a"
    INTERFACE_LINK_LIBRARIES "${_tensorflow_behind}")
  list(INSERT _tensorflow_behind 0 tensorflow::${_tensorflow_name})
endforeach()

add_library(tensorflow::core INTERFACE IMPORTED)
set_target_properties(tensorflow::core PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "${_tensorflow}/include"
  INTERFACE_COMPILE_DEFINITIONS "NDEBUG;EIGEN_NEON_GEBP_NR=4"
  INTERFACE_COMPILE_OPTIONS ""
  INTERFACE_COMPILE_FEATURES cxx_std_17
  INTERFACE_LINK_OPTIONS "-Wl,-dead_strip")

# The core whole: without that the app builds and then says "No session factory registered".
if(CMAKE_LINK_LIBRARY_USING_WHOLE_ARCHIVE_SUPPORTED OR CMAKE_CXX_LINK_LIBRARY_USING_WHOLE_ARCHIVE_SUPPORTED)
  add_library(tensorflow::archive STATIC IMPORTED)
  set_target_properties(tensorflow::archive PROPERTIES
    IMPORTED_LOCATION "${_tensorflow}/lib/libtensorflow-core.a"
    INTERFACE_LINK_LIBRARIES "${_tensorflow_behind}")
  set(_tensorflow_whole "$<LINK_LIBRARY:WHOLE_ARCHIVE,tensorflow::archive>")
else() # CMake before 3.24: one item, which nothing can tear apart
  set(_tensorflow_whole "\"-Wl,-force_load,${_tensorflow}/lib/libtensorflow-core.a\"")
  set_property(TARGET tensorflow::core PROPERTY INTERFACE_LINK_DEPENDS "${_tensorflow}/lib/libtensorflow-core.a")
endif()
set_property(TARGET tensorflow::core PROPERTY INTERFACE_LINK_LIBRARIES "${_tensorflow_whole}" ${_tensorflow_behind})
unset(_tensorflow_whole)
unset(_tensorflow_behind)
unset(_tensorflow_name)
unset(_tensorflow)
