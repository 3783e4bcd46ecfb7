// Kinds of arguments that are tensors, for what is built on them.
import { type Kind, kind, listOf } from "../core/arguments.ts";
import { Tensor } from "./tensor.ts";

const wrap: Kind["explain"] = (_, value) =>
  typeof value === "number" || Array.isArray(value) || ArrayBuffer.isView(value)
    ? "make a tensor of it first: tensor(values)"
    : undefined;

export const tensor: Kind = kind("a tensor", (value) => value instanceof Tensor, wrap);
export const tensors: Kind = listOf(tensor, "a list of tensors");
