"""SCons nodes and actions: the only part of the package, with SConstruct, that knows SCons."""
