// Command generate writes the table of Microsoft Graph's own types that the server needs, out of
// Graph's public metadata. It reads files that are given to it, and nothing from the network.
//
//	go run ./internal/graph/model/generate -types internal/graph/model/generate/types.txt \
//	    -beta beta.csdl -stable v1.0.csdl -out internal/graph/model/table.txt
//
// The metadata are the documents that Graph answers at https://graph.microsoft.com/beta/$metadata
// and /v1.0/$metadata; -beta may be given more than once, and what comes first holds. Instead of
// the document of beta, or beside a part of it, -sdk may name the directory `models` of Microsoft's
// beta SDK for Go and -declarations the file of @microsoft/microsoft-graph-types-beta, which says
// what can be null.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var beta []string
	options := flag.NewFlagSet("generate", flag.ContinueOnError)
	options.Func("beta", "a metadata document of beta", func(name string) error {
		beta = append(beta, name)
		return nil
	})
	stable := options.String("stable", "", "the metadata document of v1.0")
	sdk := options.String("sdk", "", "the directory models of the beta SDK for Go")
	declarations := options.String("declarations", "", "the declarations of beta for TypeScript")
	wanted := options.String("types", "", "the file that says which types are wanted")
	out := options.String("out", "", "the table to write")
	if err := options.Parse(args); err != nil {
		return err
	}
	if *stable == "" || *wanted == "" || *out == "" || len(beta) == 0 && *sdk == "" {
		return errors.New("give -types, -out, -stable, and -beta or -sdk")
	}
	all := make(schema)
	for _, name := range beta {
		if err := readCSDL(name, all.addMissing); err != nil {
			return err
		}
	}
	if *sdk != "" {
		if err := readSDK(*sdk, *declarations, all.addMissing); err != nil {
			return err
		}
	}
	if err := readCSDL(*stable, all.addStable); err != nil {
		return err
	}
	choice, err := os.ReadFile(*wanted)
	if err != nil {
		return err
	}
	names, err := all.choose(string(choice))
	if err != nil {
		return err
	}
	return os.WriteFile(*out, all.table(names), 0o644)
}
