"""Word lists of the training text, and the made-up words that keep the model from learning words by heart."""

import zlib

WORDS = """
able about above accept across act action active actor add address adult afraid after again age agree air all allow alone along
already also always amount anchor angle animal answer apple april apron arch area arm army around arrive arrow art ask atom autumn aunt
autumn avoid awake away axis baby back bacon bag bake balance ball bamboo banana band bank barn basket bath beach bean bear beauty bed
bee begin behind bell below belt bench berry best better bicycle big bird birth black blanket blue board boat body bold bone book boot
border borrow bottle bottom bowl box boy brain branch brave bread break breakfast brick bridge bright bring broad brother brown brush
bubble bucket build bus busy butter button cabin cable cactus cake calm camel camera camp canal candle candy canoe captain car card
care carpet carrot carry castle cat catch cave center chair chalk change charm cheap cheese cherry chess chicken child choose circle
city class clay clean clear clever climb clock close cloth cloud clover club coach coast coat coffee coin cold collect color comet
common cook cool copper coral corn corner cost cotton cough count country couple courage cousin cover cow crab cradle cream creek cross
crow crowd crown cry cup curious curtain curve dance danger dark daughter dawn day deep deer desert desk dinner dirt dish diver doctor
dog dolphin donkey door double dove down dragon draw dream dress drink drive drop drum dry duck dust eager eagle early earth east easy
eat echo edge egg eight elbow elephant empty engine enjoy enough evening every exact eye face fact fair faith fall family famous far
farm fast father feast feather feed feel fence fern ferry few field fig final find finger fire first fish five flag flame flash flat
float floor flour flower flute fly fog fold follow food foot forest fork form fort found four fox free fresh friend frog front frost
fruit full funny future galaxy game garden garlic gate gentle giant ginger girl give glad glass globe glove glue goat gold good goose
grain grand grape grass gravel gray great green ground group grow guard guess guest guide guitar hair half hammer hand happy harbor
hard harp harvest hat hawk head healthy heart heavy hedge helmet help hero hill hold hollow home honest honey hook hope horn horse
hotel hour house huge human hundred hungry hunt ice idea igloo inch ink insect iron island ivory jacket jam jar jelly jewel job join
joke journey judge juice jump jungle just keep kettle key kind king kitchen kite kitten knee knife knot ladder lake lamb lamp land
language large laser last late laugh lava lawn lazy leaf learn leather leave left lemon lens letter level library life light lily lime
line lion liquid list listen little live lizard loaf lobster local lock log long look loop lost loud love low lucky lunar lunch
machine magic magnet mail main maple marble march market mask mason match meadow meal measure meat medal melon melt member metal
middle midnight milk mill mind minor mint minute mirror mist mix model modern monkey month moon morning moss mother motor mountain
mouse mouth move much mud museum music narrow nation nature near neck needle nest net never new nice night nine noble noise noon north
nose note novel number nurse nut oak oasis ocean office often oil old olive onion open orange orbit orchard order other otter outside
oven owl paint pair palace palm pan panda paper parade parent park parrot party path patient pause peace peach peanut pear pearl
pebble pen pencil penguin people pepper perfect person piano picnic picture pie pig pilot pillow pine pink pipe pirate planet plant
plate play plum pocket poem poet point polar pond pony pool poor popcorn potato powder present pretty prince print prize proud pull
pumpkin puppy purple push puzzle quail quarter queen quick quiet quilt rabbit race radio rail rain rainbow raven reach read ready real
record red reef remote rest rice rich ride ring ripe river road robin robot rock rocket roof room root rope rose rough round row royal
ruby rug ruler run rural saddle safe sail salad salmon salt same sand saturn sauce save scarf school science scout sea season seed
seven shadow shape share shark sharp sheep shelf shell shine ship shirt shoe shop shore short shoulder show shrimp side signal silent
silk silver simple sing sister six skate sketch skin sky sleep slide slow small smart smile smoke smooth snail snake snow soap soft
soil solar soldier song sound soup south space spark spice spider spirit spoon sport spring square squirrel stable stage stairs stamp
star station steam steel stem step stick stone stool store storm story stove straw stream street string strong sugar summer sun
sunset surf swan sweet swim sword table tail tale tall tea teacher team temple ten tent theater thick thin thing third thread three
throat thunder ticket tide tiger time tiny toast today toe together tomato tomorrow tooth top torch tower town toy track trade train
travel tree trip truck true trumpet trust truth tulip tunnel turkey turtle twelve twin two umbrella uncle under until useful valley
vapor velvet very village violet violin visit voice volcano wagon wait walk wall walnut warm wash watch water wave wax weather week
whale wheat wheel whisper white wide wild wind window wing winter wise wish wolf wonder wood wool word work world worm write yard year
yellow yes yesterday young zebra zero
""".split()
WORDS = sorted(set(WORDS))

NAMES = """
Adam Ada Aisha Alan Alba Alex Alice Alma Amir Amy Ana Andre Anna Anton Ari Arthur Asha Astrid Bella Ben Bianca Bob Boris Bruno Carl
Carla Carlos Chen Chloe Clara Dan Dana Daniel David Dora Edgar Elena Eli Elias Ella Emil Emma Eric Erik Eva Felix Fiona Frank Freya
Gina Grace Hana Hans Hugo Ida Igor Ines Ivan Iris Jack Jane Jan Jonas Julia Julie Karl Kate Kim Lara Lars Laura Lea Leo Lena Liam Lily
Lina Lisa Luca Lucy Luis Maria Marie Mark Marta Max Maya Mei Mia Mila Mina Nadia Nina Noah Nora Olga Oliver Omar Oscar Otto Paul Pedro
Peter Petra Priya Rani Ravi Rita Robert Rosa Ruth Sam Sara Simon Sofia Sven Tara Theo Tim Tina Tom Uma Vera Victor Wei William Yuki
Yusuf Zoe Dumbledore Harry Hermione Albus Severus
""".split()

ONSETS = "b c d f g h j k l m n p r s t v w y z br cr dr fl gr kl pl pr sh sk sl st th tr ch bl".split()
VOWELS = "a e i o u a e i o u ai ea oo ou ee".split()
CODAS = ["", "", "", "", "n", "r", "l", "s", "t", "m", "k", "nd", "st", "x", "p", "d", "ng", "ck", "sh"]


# Words with a token that only they have, filled in when a tokenizer is loaded. They are never held out: a model cannot say
# a token that no training text holds.
ALONE = set()


def held_out(key):
    """Whether this word, name or pair belongs to the tenth that training never sees."""
    return zlib.crc32(("pensieve:" + key).encode()) % 10 == 0 and key not in ALONE


def made_up(rng, low=1, high=3):
    return "".join(rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(rng.randint(low, high)))


# The tokens of plain letters, filled in when a tokenizer is loaded.
PIECES = []


def pieced(rng):
    """A word of any tokens. In a made-up word some are frequent and most are rare; here all are alike."""
    return "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 4)))


def scrambled(rng):
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 6)))


def word(rng, held, invented=0.45):
    """A word on the asked side of the split; about half of them are made up."""
    while True:
        draw = rng.random()
        if draw < 1 - invented:
            w = rng.choice(WORDS)
        elif draw < 0.97:
            w = pieced(rng) if PIECES and not held and rng.random() < 0.4 else made_up(rng)
        else:
            w = scrambled(rng)
        if held_out(w.lower()) == held:
            return w


def name(rng, held):
    while True:
        n = rng.choice(NAMES) if rng.random() < 0.4 else made_up(rng).capitalize()
        if held_out(n.lower()) == held:
            return n
