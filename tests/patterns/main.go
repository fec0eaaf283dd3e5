// Says of each pattern on its standard input whether Go's library takes it, and in which texts it finds it. With the
// argument `names` it prints the names of Unicode's classes instead, as Go's tables have them.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
	"unicode"
)

type question struct {
	Pattern string   `json:"pattern"`
	Texts   []string `json:"texts"`
}

type answer struct {
	Valid bool   `json:"valid"`
	Found []bool `json:"found"`
}

func main() {
	out := json.NewEncoder(os.Stdout)
	if len(os.Args) > 1 {
		names := []string{}
		for name := range unicode.Scripts {
			names = append(names, name)
		}
		for name := range unicode.Categories {
			names = append(names, name)
		}
		for name := range unicode.CategoryAliases {
			names = append(names, name)
		}
		must(out.Encode(names))
		return
	}
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	for in.More() {
		var asked question
		must(in.Decode(&asked))
		said := answer{Found: []bool{}}
		if pattern, err := regexp.Compile(asked.Pattern); err == nil {
			said.Valid = true
			for _, text := range asked.Texts {
				said.Found = append(said.Found, pattern.MatchString(text))
			}
		}
		must(out.Encode(said))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
