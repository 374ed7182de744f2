// Command verifier checks what a Daybook log says of itself with Go's own tools for transparency logs.
//
// It reads one JSON object from standard input and prints "verified", or why not.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	VerifierKey string `json:"verifier_key"`
	Old         string `json:"old_checkpoint"`
	New         string `json:"new_checkpoint"`
	Consistency []hash `json:"consistency"`
	Entries     []struct {
		Position int64  `json:"position"`
		Bytes    []byte `json:"bytes"`
		Proof    []hash `json:"proof"`
	} `json:"entries"`
}

type hash tlog.Hash

func (h *hash) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil || len(raw) != tlog.HashSize {
		return fmt.Errorf("%q is no hash", text)
	}
	copy(h[:], raw)
	return nil
}

func main() {
	if err := verify(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("verified")
}

func verify() error {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		return err
	}
	verifier, err := note.NewVerifier(in.VerifierKey)
	if err != nil {
		return err
	}
	oldTree, err := open(in.Old, verifier)
	if err != nil {
		return fmt.Errorf("old checkpoint: %w", err)
	}
	newTree, err := open(in.New, verifier)
	if err != nil {
		return fmt.Errorf("new checkpoint: %w", err)
	}
	if err := tlog.CheckTree(hashes(in.Consistency), newTree.N, newTree.Hash, oldTree.N, oldTree.Hash); err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	for _, entry := range in.Entries {
		leaf := tlog.RecordHash(entry.Bytes)
		if err := tlog.CheckRecord(hashes(entry.Proof), newTree.N, newTree.Hash, entry.Position, leaf); err != nil {
			return fmt.Errorf("entry %d: %w", entry.Position, err)
		}
	}
	return nil
}

// open verifies a checkpoint as C2SP tlog-checkpoint defines it.
func open(text string, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("%q is no checkpoint of %s", opened.Text, verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	var root hash
	if err := root.UnmarshalText([]byte(lines[2])); err != nil {
		return tlog.Tree{}, err
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

func hashes(list []hash) []tlog.Hash {
	all := make([]tlog.Hash, len(list))
	for i, each := range list {
		all[i] = tlog.Hash(each)
	}
	return all
}
