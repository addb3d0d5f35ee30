## twin
