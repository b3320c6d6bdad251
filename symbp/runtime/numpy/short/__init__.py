"""The core of a short module: for networks whose shapes are plain, in as few lines as are safe."""
