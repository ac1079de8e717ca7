"""The benchmark of the engines that understand the guest."""
