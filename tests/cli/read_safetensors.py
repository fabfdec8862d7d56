#!/usr/bin/env python3
"""Lists a safetensors file and checks it, written from docs/formats.md alone: read_safetensors.py FILE"""
import json, math, struct, sys, zlib

SIZES = dict(F64=8, I64=8, U64=8, F32=4, I32=4, U32=4, F16=2, BF16=2, I16=2, U16=2, I8=1, U8=1, BOOL=1)
try:
    data, end = open(sys.argv[1], "rb").read(), 0
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length].decode("utf-8"))
    metadata = header.pop("__metadata__", {})
    for name, info in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, past = info["data_offsets"]
        if begin != end or past - begin != SIZES[info["dtype"]] * math.prod(info["shape"]):
            raise ValueError(f"tensor {name} does not lie where it should")
        print("tensor", name, info["dtype"], info["shape"])
        end = past
    if len(data) != 8 + length + end:
        raise ValueError("the tensors do not fill the file")
    digits = metadata.get("burl.checksum", "")
    if digits and digits != "%08x" % zlib.crc32(data.replace(b'm":"' + digits.encode(), b'm":"00000000', 1)):
        raise ValueError("the checksum does not match the content")
    print("metadata", *sorted(metadata))
except (OSError, ValueError, KeyError, IndexError, TypeError, struct.error) as error:
    sys.exit(f"read_safetensors.py: {sys.argv[1:]}: {error}")
