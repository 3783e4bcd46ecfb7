"""Reads a TensorBoard event file with nothing but the formats' descriptions (TFRecord frames, protocol buffers' wire format, CRC-32C by RFC 3720's
polynomial) and prints its scalars as JSON, and its histograms where there are some: an independent check of the writer."""

import json
import struct
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def records(whole):
    at = 0
    while at < len(whole):
        (length,) = struct.unpack_from("<Q", whole, at)
        (check,) = struct.unpack_from("<I", whole, at + 8)
        assert check == masked(whole[at : at + 8]), f"length's checksum at {at}"
        data = whole[at + 12 : at + 12 + length]
        assert len(data) == length, "the last record is cut off"
        (check,) = struct.unpack_from("<I", whole, at + 12 + length)
        assert check == masked(data), f"data's checksum at {at}"
        yield data
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = data[at : at + 8], at + 8
        elif wire == 2:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
        elif wire == 5:
            value, at = data[at : at + 4], at + 4
        else:
            raise AssertionError(f"wire type {wire}")
        yield number, value


def histogram(data):
    found = {}
    for number, value in fields(data):
        names = ["min", "max", "num", "sum", "sum_squares"]
        if number <= 5:
            (found[names[number - 1]],) = struct.unpack("<d", value)
        else:
            # Packed: one field with all doubles.
            name = {6: "bucket_limit", 7: "bucket"}[number]
            assert name not in found, "a bucket list twice"
            found[name] = list(struct.unpack("<%dd" % (len(value) // 8), value))
    assert len(found["bucket_limit"]) == len(found["bucket"]), "bucket lists"
    assert sum(found["bucket"]) == found["num"], "counts"
    return found


def event(data):
    found = {"step": 0, "scalars": {}, "histograms": {}}
    for number, value in fields(data):
        if number == 1:
            (found["time"],) = struct.unpack("<d", value)
        elif number == 2:
            found["step"] = value
        elif number == 3:
            found["version"] = value.decode()
        elif number == 5:
            for inner, summary in fields(value):
                assert inner == 1, f"summary field {inner}"
                parts = dict(fields(summary))
                if set(parts) == {1, 5}:
                    found["histograms"][parts[1].decode()] = histogram(parts[5])
                    continue
                assert set(parts) == {1, 2}, f"value fields {sorted(parts)}"
                (found["scalars"][parts[1].decode()],) = struct.unpack("<f", parts[2])
        else:
            raise AssertionError(f"event field {number}")
    return found


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        events = [event(data) for data in records(file.read())]
    assert events[0].get("version") == "brain.Event:2" and not events[0]["scalars"]
    assert all(events[i]["time"] <= events[i + 1]["time"] for i in range(len(events) - 1))
    print(json.dumps([[one["step"], one["scalars"]] + ([one["histograms"]] if one["histograms"] else []) for one in events[1:]]))
