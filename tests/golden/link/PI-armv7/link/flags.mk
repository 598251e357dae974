# Made by tfcross from templates/link/flags.mk.j2.
# For make: set TFCROSS to the folder above this file's, include this file, and use
#   $(CXX) $(TFCROSS_CXXFLAGS) -c app.cc
#   $(CXX) app.o $(TFCROSS_LDLIBS)
# The core is linked whole: without that the app builds and then says "No session factory registered".
ifndef TFCROSS
TFCROSS := $(dir $(lastword $(MAKEFILE_LIST)))..
endif
# For the shell: the folder's name as it is, whatever is in it.
TFCROSS_QUOTED := '$(subst ','\'',$(TFCROSS))'
TFCROSS_CXXFLAGS := -march=armv7-a -mfpu=neon-vfpv4 -std=c++17 -DNDEBUG -DEIGEN_NEON_GEBP_NR=4 -isystem $(TFCROSS_QUOTED)/include
TFCROSS_LDLIBS := -Wl,--whole-archive $(TFCROSS_QUOTED)/lib/libtensorflow-core.a -Wl,--no-whole-archive $(TFCROSS_QUOTED)/lib/libprotobuf.a $(TFCROSS_QUOTED)/lib/libdouble-conversion.a -Wl,--gc-sections -lpthread -lm -latomic
