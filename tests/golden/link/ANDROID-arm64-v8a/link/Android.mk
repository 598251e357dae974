# Made by tfcross from templates/link/Android.mk.j2.
# For ndk-build: include $(TENSORFLOW)/ANDROID-$(TARGET_ARCH_ABI)/link/Android.mk, then in the app's module
#   LOCAL_WHOLE_STATIC_LIBRARIES := tensorflow-core
# Whole: without that the app builds and then says "No session factory registered".
ifneq ($(TARGET_ARCH_ABI),arm64-v8a)
$(error ANDROID-arm64-v8a is for arm64-v8a, not $(TARGET_ARCH_ABI); include the folder of that ABI)
endif
TFCROSS_OUTER_PATH := $(LOCAL_PATH)
LOCAL_PATH := $(call my-dir)/..

include $(CLEAR_VARS)
LOCAL_MODULE := tensorflow-protobuf
LOCAL_SRC_FILES := lib/libprotobuf.a
include $(PREBUILT_STATIC_LIBRARY)

include $(CLEAR_VARS)
LOCAL_MODULE := tensorflow-double-conversion
LOCAL_SRC_FILES := lib/libdouble-conversion.a
include $(PREBUILT_STATIC_LIBRARY)

include $(CLEAR_VARS)
LOCAL_MODULE := tensorflow-core
LOCAL_SRC_FILES := lib/libtensorflow-core.a
LOCAL_EXPORT_C_INCLUDES := $(LOCAL_PATH)/include
LOCAL_EXPORT_CFLAGS := -fPIC -DNDEBUG -DEIGEN_NEON_GEBP_NR=4
LOCAL_EXPORT_CPPFLAGS := -std=c++17
LOCAL_EXPORT_LDLIBS := -Wl,--gc-sections -llog -lm
LOCAL_STATIC_LIBRARIES := tensorflow-protobuf tensorflow-double-conversion
include $(PREBUILT_STATIC_LIBRARY)
LOCAL_PATH := $(TFCROSS_OUTER_PATH)
