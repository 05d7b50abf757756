"""Prints what `gpu-sharing-agent inventory` prints, from NVIDIA's own Python bindings of NVML."""

import ctypes
import json

import pynvml as nvml

MODES = {0: "Disabled", 1: "Enabled"}
COMPUTE_MODES = {0: "Default", 2: "Prohibited", 3: "ExclusiveProcess"}


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def supported(call, *arguments):
    """None for what the GPU does not have."""
    try:
        return call(*arguments)
    except nvml.NVMLError_NotSupported:
        return None


def listed(struct, call, *arguments):
    """The items that a function writes into an array."""
    array, count = (struct * 64)(), ctypes.c_uint(64)
    call(*arguments, array, ctypes.byref(count))
    return list(array)[: count.value]


def profiles(device):
    for number in range(nvml.NVML_GPU_INSTANCE_PROFILE_COUNT):
        profile = supported(nvml.nvmlDeviceGetGpuInstanceProfileInfo, device, number)
        if profile is not None:
            yield profile


def offer(device, profile):
    places = listed(
        nvml.c_nvmlGpuInstancePlacement_t,
        nvml.nvmlDeviceGetGpuInstancePossiblePlacements,
        device,
        profile.id,
    )
    return {
        "name": text(profile.name).removeprefix("MIG "),
        "id": profile.id,
        "slices": profile.sliceCount,
        "max": profile.instanceCount,
        "memoryMiB": profile.memorySizeMB,
        "placements": [{"start": place.start, "size": place.size} for place in places],
    }


def mig_devices(device):
    """MIG devices by the id of their GPU instance."""
    found = {}
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(device)):
        try:
            mig = nvml.nvmlDeviceGetMigDeviceHandleByIndex(device, index)
        except nvml.NVMLError_NotFound:
            continue
        found.setdefault(nvml.nvmlDeviceGetGpuInstanceId(mig), []).append(mig)
    return found


def whole(devices):
    """The UUID of the one device that fills its GPU instance."""
    if len(devices) != 1:
        return None
    attributes = nvml.nvmlDeviceGetAttributes(devices[0])
    fills = attributes.computeInstanceSliceCount == attributes.gpuInstanceSliceCount
    return text(nvml.nvmlDeviceGetUUID(devices[0])) if fills else None


def instances(device, offers, devices):
    for profile in offers:
        handles = listed(
            nvml.c_nvmlGpuInstance_t, nvml.nvmlDeviceGetGpuInstances, device, profile["id"]
        )
        for handle in handles:
            info = nvml.nvmlGpuInstanceGetInfo(handle)
            uuid = whole(devices.get(info.id, []))
            yield {
                "profile": profile["name"],
                "start": info.placement.start,
                "size": info.placement.size,
                **({"uuid": uuid} if uuid else {}),
                "owned": False,
            }


def processes(device, devices):
    on_slices = [mig for group in devices.values() for mig in group]
    return [
        {"pid": process.pid, "device": text(nvml.nvmlDeviceGetUUID(place))}
        for place in on_slices or [device]
        for process in nvml.nvmlDeviceGetComputeRunningProcesses(place)
    ]


def gpu(index):
    device = nvml.nvmlDeviceGetHandleByIndex(index)
    modes = supported(nvml.nvmlDeviceGetMigMode, device)
    current, pending = (MODES[mode] for mode in modes) if modes else ["NotSupported"] * 2
    offers = [offer(device, profile) for profile in profiles(device)] if modes else []
    devices = mig_devices(device) if current == "Enabled" else {}
    major, minor = nvml.nvmlDeviceGetCudaComputeCapability(device)
    return {
        "index": nvml.nvmlDeviceGetIndex(device),
        "uuid": text(nvml.nvmlDeviceGetUUID(device)),
        "product": text(nvml.nvmlDeviceGetName(device)),
        "memoryMiB": nvml.nvmlDeviceGetMemoryInfo(device).total >> 20,
        "computeCapability": f"{major}.{minor}",
        "computeMode": COMPUTE_MODES[nvml.nvmlDeviceGetComputeMode(device)],
        "mig": {"current": current, "pending": pending},
        "profiles": offers,
        "instances": list(instances(device, offers, devices)) if current == "Enabled" else [],
        "processes": processes(device, devices),
    }


nvml.nvmlInit()
print(
    json.dumps(
        {
            "driverVersion": text(nvml.nvmlSystemGetDriverVersion()),
            "gpus": [gpu(index) for index in range(nvml.nvmlDeviceGetCount())],
        }
    )
)
nvml.nvmlShutdown()
