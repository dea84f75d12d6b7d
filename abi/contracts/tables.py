#!/usr/bin/env python3
"""Turns out/*.json into C tables, at build time: tables.py HEADER SOURCE

The names below are stable; CamelCase becomes CAMEL_CASE, a contract's own name is
written without underscores, a variable's trailing underscore is dropped.

    egress_<contract>_bytecode[], egress_<contract>_bytecode_size   creation code
    egress_<contract>_code          deployed code, within the creation code; its immutables zero
    IMMUTABLE_<CONTRACT>_<VARIABLE> place in the array of an immutable's value
    SEL_<CONTRACT>_<FUNCTION>       selector, uint32_t (no overloads exist; one is refused)
    TOPIC_<CONTRACT>_<EVENT>        extern const struct hash32, topic 0
    TYPEHASH_<NAME>                 extern const struct hash32, EIP-712 (EIP712_DOMAIN: the domain's)
    ERR_<CONTRACT>_<ERROR>          selector of a custom error, uint32_t
    egress_errors[], egress_errors_count   every error: selector and signature, ascending
    SLOT_<CONTRACT>_<VARIABLE>      storage slot;  OFF_…: byte offset from the word's low end;
                                    LEN_…: bytes (packed variables: word >> 8*OFF, low LEN bytes)
    SLOT_<STRUCT>_<MEMBER> OFF_ LEN_   the same, relative to where the struct starts
    EGRESS_<CONSTANT>               the limits of Constants.sol

Reads nothing but out/*.json beside itself.  Fails rather than leave a name out.
"""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CONTRACTS = ["BadBatch", "EscapeHatch", "SovereignRollup"]


def load(name):
    with open(os.path.join(HERE, "out", name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def upper(name):
    name = name.strip("_")
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", "_", name).upper()


def octets(text, indent="\t"):
    data = bytes.fromhex(text[2:])
    rows = []
    for i in range(0, len(data), 12):
        rows.append(indent + " ".join("0x%02x," % b for b in data[i:i + 12]))
    return "\n".join(rows)


class Out:
    """Both files as they grow; a name is written once."""

    def __init__(self):
        self.header = []
        self.source = []
        self.seen = {}
        self.immutables = 0

    def define(self, name, value):
        if name in self.seen:
            if self.seen[name] != value:
                sys.exit("tables.py: two meanings of %s" % name)
            return
        self.seen[name] = value
        self.header.append("#define %s %s" % (name, value))

    def hash32(self, name, value):
        if name in self.seen:
            if self.seen[name] != value:
                sys.exit("tables.py: two meanings of %s" % name)
            return
        self.seen[name] = value
        self.header.append("extern const struct hash32 %s;" % name)
        self.source.append(
            "const struct hash32 %s = {{\n%s\n}};" % (name, octets(value, "\t\t")))


def variables(out, owner, members, types):
    for m in members:
        name = "%s_%s" % (owner, upper(m["label"]))
        out.define("SLOT_" + name, m["slot"])
        out.define("OFF_" + name, str(m["offset"]))
        out.define("LEN_" + name, types[m["type"]]["numberOfBytes"])


def deployed(out, name, data):
    """The creation code ends with the deployed code, whose immutables are zero."""
    big, small = name.upper(), name.lower()
    whole, code = data["bytecode"][2:], data["deployedBytecode"][2:]
    at = whole.find(code)
    if not code or at < 0 or at % 2:
        sys.exit("tables.py: %s: its deployed code is no part of its bytecode" % name)
    words = []
    for i, (label, places) in enumerate(sorted(data["immutables"].items())):
        out.define("IMMUTABLE_%s_%s" % (big, upper(label)), str(i))
        words += [(place, i) for place in places]
    for place, _ in words:
        if int(code[2 * place:2 * place + 64], 16):
            sys.exit("tables.py: %s: an immutable at %d is not zero" % (name, place))
    table = "NULL"
    if words:
        table = "egress_%s_words" % small
        rows = "\n".join("\t{ %d, %d }," % word for word in sorted(words))
        out.source.append("static const struct contract_word %s[] = {\n%s\n};" % (table, rows))
    out.header.append("extern const struct contract_code egress_%s_code;" % small)
    out.source.append(
        "const struct contract_code egress_%s_code = {\n\t\"%s\", egress_%s_bytecode + %d,"
        " %d,\n\t%s, %d, %d\n};" % (small, name, small, at // 2, len(code) // 2, table,
                                  len(words), len(data["immutables"])))
    out.immutables = max(out.immutables, len(data["immutables"]))


def contract(out, name, errors):
    data = load(name)
    big, small = name.upper(), name.lower()
    out.header.append("\n/* %s */" % name)
    code = "egress_%s_bytecode" % small
    out.header.append("extern const unsigned char %s[];" % code)
    out.header.append("extern const size_t %s_size;" % code)
    out.source.append("const unsigned char %s[] = {\n%s\n};" % (code, octets(data["bytecode"])))
    out.source.append("const size_t %s_size = sizeof %s;" % (code, code))
    deployed(out, name, data)
    for sig, selector in sorted(data["selectors"].items()):
        out.define("SEL_%s_%s" % (big, upper(sig.split("(")[0])), "UINT32_C(%s)" % selector)
    for sig, selector in sorted(data["errors"].items()):
        out.define("ERR_%s_%s" % (big, upper(sig.split("(")[0])), "UINT32_C(%s)" % selector)
        errors[selector] = sig
    for event, topic in sorted(data["topics"].items()):
        out.hash32("TOPIC_%s_%s" % (big, upper(event)), topic)
    for type_name, value in sorted(data["typeHashes"].items()):
        out.hash32("TYPEHASH_" + upper(type_name), value)
    layout = data["storageLayout"]
    variables(out, big, layout["storage"], layout["types"])
    for one in layout["types"].values():
        if "members" in one:
            owner = upper(one["label"].replace("struct ", "").split(".")[-1])
            variables(out, owner, one["members"], layout["types"])


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: tables.py HEADER SOURCE")
    out = Out()
    errors = {}
    for name in CONTRACTS:
        contract(out, name, errors)
    out.header.append("\n/* limits */")
    for name, value in sorted(load("Constants")["constants"].items()):
        wide = int(value) > 0x7FFFFFFF
        out.define("EGRESS_" + name, "UINT64_C(%s)" % value if wide else value)
    table = "\n".join('\t{ UINT32_C(%s), "%s" },' % e for e in sorted(errors.items()))
    header = [
        "/* Generated by abi/contracts/tables.py from the compiled contracts. */",
        "#ifndef EGRESS_CONTRACTS_TABLES_H",
        "#define EGRESS_CONTRACTS_TABLES_H",
        '#include "abi/types.h"',
        "#include <stddef.h>",
        "#include <stdint.h>",
        "\n/* 32 bytes of deployed code that hold an immutable's value */",
        "struct contract_word {",
        "\tuint16_t at;",
        "\tuint16_t immutable; /* IMMUTABLE_… */",
        "};",
        "struct contract_code {",
        "\tconst char *name;",
        "\tconst unsigned char *bytes;",
        "\tsize_t size;",
        "\tconst struct contract_word *words; /* ascending */",
        "\tsize_t n_words, n_immutables;",
        "};",
        "#define CONTRACT_IMMUTABLES_MAX %d" % out.immutables,
        *out.header,
        "\n/* every custom error, ascending by selector */",
        "struct contract_error {",
        "\tuint32_t selector;",
        "\tconst char *signature;",
        "};",
        "extern const struct contract_error egress_errors[];",
        "extern const size_t egress_errors_count;",
        "#endif",
    ]
    source = [
        "/* Generated by abi/contracts/tables.py from the compiled contracts. */",
        '#include "%s"' % os.path.basename(sys.argv[1]),
        *out.source,
        "const struct contract_error egress_errors[] = {\n%s\n};" % table,
        "const size_t egress_errors_count =",
        "\tsizeof egress_errors / sizeof egress_errors[0];",
    ]
    for path, lines in ((sys.argv[1], header), (sys.argv[2], source)):
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
