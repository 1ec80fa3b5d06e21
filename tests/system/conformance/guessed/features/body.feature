Feature: Bodies
  Scenario: tags
    When I publish "a":
      """
      any: x
      exists: 1
      nul: null
      notnul: 0
      ne: 3
      gt: 5
      ge: 5
      lt: 1
      le: 1
      between: 3
      approx: 3.141
      re: ABC-123
      one_of: b
      contains: hello world
      contains_list: [1, 2, 3]
      starts: hello
      ends: world
      length: abc
      length_n: [1, 2, 3]
      string: s
      uuid: 7b1a2f0e-1111-4222-8333-abcdefabcdef
      iso: "2026-01-02T03:04:05Z"
      before: "2026-01-02T03:04:05Z"
      after: "2026-01-02T03:04:05Z"
      every: [1, 2]
      some: [1, 2]
      all_of: 5
      any_of: 5
      not: 5
      exactly: {a: 1}
      unordered: [3, 1, 2]
      schema: {id: 4}
      py: 4
      nested: {deep: {list: [{x: 1}, {x: 2}]}}
      """
    Then I expect "a":
      """
      any: !any
      exists: !exists
      gone: !absent
      nul: !null
      notnul: !not_null
      ne: !ne 4
      gt: !gt 4
      ge: !ge 5
      lt: !lt 2
      le: !le 1
      between: !between [1, 5]
      approx: !approx [3.14, 0.01]
      re: !matches '[A-Z]+-\d+'
      one_of: !one_of [a, b]
      contains: !contains "lo wo"
      contains_list: !contains 2
      starts: !starts_with he
      ends: !ends_with ld
      length: !length 3
      length_n: !length !gt 2
      string: !type string
      uuid: !uuid
      iso: !iso8601
      before: !before "2026-02-01T00:00:00Z"
      after: !after "2025-02-01T00:00:00Z"
      every: !every !gt 0
      some: !some !gt 1
      all_of: !all_of [!gt 1, !lt 9]
      any_of: !any_of [4, 5]
      not: !not 4
      exactly: !exactly {a: 1}
      unordered: !unordered [1, 2, 3]
      schema: !schema "data/order.schema.json"
      py: !python "guessed_checks:even"
      nested: {deep: {list: [{x: 1}, {x: !gt 1}]}}
      """

  Scenario: length nested
    When I publish "a":
      """
      l: [1,2,3]
      """
    Then I expect "a":
      """
      l: !length !gt 2
      """
  Scenario Outline: cell <v>
    When I publish "a":
      """
      x: <x>
      """
    Then I expect "a":
      | field | value |
      | x     | <v>   |
    Examples:
      | x    | v |
      | 5    | > 0 |
      | 5    | >= 1 |
      | 5    | < 9 |
      | 5    | <= 9 |
      | 5    | != 4 |
      | A    | one of A, B |
      | ABC  | matches /A.*/ |
      | 3    | between 1 and 5 |
      | 3.14 | approx 3.14 ± 0.01 |
      | 1    | exists |
      | 1    | any |
      | null | null |
      | 1    | not null |
      | hey  | contains ey |
      | 7b1a2f0e-1111-4222-8333-abcdefabcdef | a uuid |
      | 5    | a number |
      | hey  | a string |
      | "2026-01-02T03:04:05Z" | a timestamp |
      | "42" | "42" |
      | 42 | 42 |
      | hello there | hello there |
      | true | true |
      | [1, 2] | [1, 2] |
      | {a: 1} | {"a": 1} |

  Scenario: absent cell, dots
    When I publish "a":
      """
      key.with.dots: {x: 1}
      order: {items: [{sku: A}]}
      """
    Then I expect "a":
      | field               | value  |
      | gone                | absent |
      | 'key.with.dots'.x   | 1      |
      | order.items[0].sku  | A      |
      | order.items[*].sku  | A      |
      | order.items[?].sku  | A      |
      | @topic              | a      |

  Scenario: nested publish by table
    When I publish "a":
      | field              | value |
      | order.items[0].sku | A     |
      | order.items[1].sku | B     |
      | 'k.d'.x            | 1     |
      | @key               | kk    |
      | @headers.h         | v     |
    Then I expect "a":
      """
      order: {items: [{sku: A}, {sku: B}]}
      k.d: {x: 1}
      """
    And the "a" message has:
      | field      | value |
      | @key       | kk    |
      | @headers.h | v     |

  Scenario: functions
    When I publish "a.{{ 1 + 1 }}" with key "{{ uuid() }}":
      """
      u: {{ uuid() }}
      n: {{ now() }}
      ms: {{ now_ms() }}
      r: {{ random_int(1, 5) }}
      s: {{ seq() }}
      e: {{ env("GUESSED_NAME") }}
      j: "{{ [1, 2] | tojson }}"
      b: "{{ 'hi' | b64 }}"
      h: "{{ 'hi' | hex }}"
      """
    Then I expect "a.2":
      """
      "@key": !uuid
      u: !uuid
      n: !iso8601
      ms: !gt 1000
      r: !between [1, 5]
      s: !type integer
      e: guessed
      b: aGk=
      h: "6869"
      """
  Scenario: a media type that behave's parser loses
    When I publish "a":
      """text
      hello
      """
    Then I expect exactly 1 "a" message within 20ms
