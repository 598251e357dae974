# Made by tfcross from templates/link/flags.sh.j2.
# Compile and link flags, quoted for a shell, with the folder above this file's:
#   eval "c++ $(sh link/flags.sh --cxxflags) -c app.cc"
#   eval "c++ app.o $(sh link/flags.sh --libs) -o app"
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
folder=$(CDPATH='' cd -- "$here/.." && pwd -P) || exit
folder=\'$(printf %s "$folder" | sed "s/'/'\\\\''/g")\'
cxxflags=$(cat <<END
-march=armv7-a -mfpu=neon-vfpv4 -std=c++17 -DNDEBUG -DEIGEN_NEON_GEBP_NR=4 -isystem $folder/include
END
)
libs=$(cat <<END
-Wl,--whole-archive $folder/lib/libtensorflow-core.a -Wl,--no-whole-archive $folder/lib/libprotobuf.a $folder/lib/libdouble-conversion.a -Wl,--gc-sections -lpthread -lm -latomic
END
)
case $* in
    --cxxflags) printf '%s\n' "$cxxflags" ;;
    --libs) printf '%s\n' "$libs" ;;
    *) echo "usage: sh flags.sh --cxxflags | --libs" >&2 && exit 2 ;;
esac
