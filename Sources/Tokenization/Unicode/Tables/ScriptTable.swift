// Written by Tests/TokenizationTests/Scripts/make_unicode_tables.py; not to be edited by hand.

/// The characters of the scripts that patterns may name.
enum ScriptTable {
    /// `\p{Han}`, as `gap,length`.
    static let han = """
        2e80,1a 1,59 c,d6 2f 1 19,9 e,4 3c4,19c0 40,5200 5900,16e 2,6a 7508,2 c,2 900e,a6e0 20,103a 6,de 2,1682 \
        e,1d31 f,26e 9a2,21e 5e2,134b 5,1060
        """

    /// `\p{Hiragana}`, as `gap,length`.
    static let hiragana = """
        3041,56 6,3 17f61,11f 12 1d,3 40ad
        """

    /// `\p{Katakana}`, as `gap,length`.
    static let katakana = """
        30a1,5a 2,3 f0,10 d0,2f 1,58 cc0e,a 1,2d b052,4 1,7 1,2 1 11f,3 32 e,4
        """

    /// `\p{Hangul}`, as `gap,length`.
    static let hangul = """
        1100,100 1e2e,2 101,5e 71,1f 41,1f 76e1,1d 283,2ba4 c,17 4,31 27a4,1f 3,6 2,6 2,6 2,3
        """

    /// `\p{Bopomofo}`, as `gap,length`.
    static let bopomofo = """
        2ea,2 2e19,2b 70,20
        """

    /// `\p{Latin}`, as `gap,length`.
    static let latin = """
        41,1a 6,1a 2f f 5,17 1,1f 1,1c1 27,5 1a1b,26 6,31 5,4 5,d 1,46 41,100 171 d 10,d 8d,2 6 1b 11,29 ad7,20 \
        7aa2,66 3,43 2,2 1 1,8 15,e 330,2b 1,9 1,4 4f96,7 41a,1a 6,1a 825,6 1,2a 1,9 d745,1f 6,6
        """

    /// `\p{Greek}`, as `gap,length`.
    static let greek = """
        370,4 1,3 2,4 1 4 1 1,3 1 1,14 1,3f e,10 1926,5 32,5 4,5 54 140,16 2,6 2,26 2,6 2,8 1 1 1 1,1f 2,35 1,f 1,e \
        2,6 1,13 2,3 1,9 127 8a3e 55da,4f 11 d05f,46
        """

    /// `\p{Cyrillic}`, as `gap,length`.
    static let cyrillic = """
        400,85 2,a9 1750,b a0 4c 1067,20 7840,60 578e,2 e200,3e 21
        """

    /// `\p{Armenian}`, as `gap,length`.
    static let armenian = """
        531,26 2,32 2,3 f583,5
        """

    /// `\p{Georgian}`, as `gap,length`.
    static let georgian = """
        10a0,26 1 5 2,2b 1,4 b90,2b 2,3 1040,26 1 5
        """

    /// `\p{Hebrew}`, as `gap,length`.
    static let hebrew = """
        591,37 8,1b 4,6 f528,1a 1,5 1 1,2 1,2 1,a
        """

    /// `\p{Arabic}`, as `gap,length`.
    static let arabic = """
        600,5 1,6 1,e 1,3 1,20 1,a b,1a 1,6c 1,22 50,30 f0,1f 1,2 5,4b 1,1d f250,73 10,16b 2,50 2,36 7 20,10 70,5 \
        1,87 f63,1f 43,3 37,4 df00,4 1,1b 1,2 1 2 1,a 1,4 1 1 6 4 1 1 1,3 1,2 1 2 1 1 1 1 1,2 1 2,4 1,7 1,4 1,4 1 1,a \
        1,11 5,3 1,5 1,11 34,2
        """

    /// `\p{Devanagari}`, as `gap,length`.
    static let devanagari = """
        900,51 4,f 2,1a 9f60,20 7200,a
        """

    /// `\p{Bengali}`, as `gap,length`.
    static let bengali = """
        980,4 1,8 2,2 2,16 1,7 1 3,4 2,9 2,2 2,4 8 4,2 1,5 2,19
        """

    /// `\p{Tamil}`, as `gap,length`.
    static let tamil = """
        b82,2 1,6 3,3 1,4 3,2 1 1,2 3,2 3,3 3,c 4,5 3,3 1,4 2 6 e,15 113c5,32 d
        """

    /// `\p{Telugu}`, as `gap,length`.
    static let telugu = """
        c00,d 1,3 1,17 1,10 2,9 1,3 1,4 7,2 1,3 2 2,4 2,a 7,9
        """

    /// `\p{Thai}`, as `gap,length`.
    static let thai = """
        e01,3a 5,1c
        """

    /// `\p{Lao}`, as `gap,length`.
    static let lao = """
        e81,2 1 1,5 1,18 1 1,17 2,5 1 1,7 1,a 2,4
        """

    /// `\p{Khmer}`, as `gap,length`.
    static let khmer = """
        1780,5e 2,a 6,a 1e6,20
        """

    /// `\p{Myanmar}`, as `gap,length`.
    static let myanmar = """
        1000,a0 9940,1f 61,20 6c50,14
        """
}
